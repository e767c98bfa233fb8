//! The one test binary: one link and shared helpers. What needs a real server is told by its name.

#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "tests start processes and wait for them")]
#![expect(unreachable_pub, reason = "all modules of a test binary are private; `pub` marks what tests share")]

mod support;

/// A certificate from an authority: Pebble.
mod acme;
/// Agents behind home routers: joining, holding, being cut off.
mod agent_alarm;
mod agents;
/// Real Alertmanagers, alone and as a cluster.
mod alertmanagers;
/// The JSON API against its description, and Prometheus that discovers by it.
mod api;
/// House rules: imports, clocks, module docs.
mod architecture;
/// Attacks over HTTP that must delay no verdict, and health that must not lie.
mod attack;
/// Chromium on the real page.
mod browser;
/// Telephones that ring: real SIP on the other side.
mod calls;
/// A bad configuration and its exact message.
mod config_errors;
/// The contract's clock, from a blind site to the report.
mod contract;
/// The whole daemon: alerts, reload, kill -9 and restart, stopping.
mod daemon;
/// Grafana's schema, and each query of each panel against a real Prometheus.
mod dashboards;
/// What is in Cargo.lock and must not be.
mod dependencies;
/// A full disk under the whole daemon.
mod disk;
/// Guides name what exists.
mod documents;
/// Editing on pages, over the files.
mod editing;
/// RTSP over TLS.
mod encrypted;
/// Pages and metrics over TLS.
mod encrypted_pages;
/// The shipped example.
mod examples;
/// A first configuration from answers.
mod first_day;
/// Peers that mean harm: bounded time and memory, and nobody else delayed.
mod hostile;
mod houses;
/// The description of the API and the list of metrics, as reviewed.
mod interfaces;
/// Spreadsheets, discovery and explanations on the command line.
mod inventory;
/// kill -9, two hundred times.
mod killing;
/// Secrets in wrong places of a configuration, and what is shown of them.
mod masking;
/// A month of the core in made-up time.
mod month;
/// The daemon watching a wall of odd cameras.
mod odd_wall;
/// Signing in by a provider of OpenID Connect.
mod openid;
/// The Debian package on a machine of its own.
mod package;
/// The book's pictures.
mod pictures;
mod postgres;
/// What is told of households over HTTP.
mod privacy;
/// A real Prometheus scrapes the daemon.
mod prometheus;
/// Machines that share a province.
mod province;
/// What cameras get wrong, judged by players.
mod quirks;
/// The probe command against servers that nobody here wrote.
mod real_servers;
/// The uptime report on the command line, beside what Prometheus counted.
mod reporting;
/// Reports before and after what is old was forgotten.
mod retention;
/// Shifts for people: who takes over is told, swaps, gaps, and calendars that another reader understands.
mod roster;
/// Signing in, by a real browser.
mod signing_in;
/// Each fault of the simulated cameras on the wire.
mod simulated;
/// SMS: two gateways of Vietnam, what a day may cost, and answers by a real gammu-smsd.
mod sms;
/// Hours of an ordinary life in which nothing grows.
mod soak;
mod sources;
/// Channels, replies, Alertmanager and the commands of the roster.
mod telling;
/// Backup, restore and upkeep of the journal by the real program.
mod upkeep;
/// Visitors who hold what they can, while cameras are watched and others are served.
mod visitors;
/// Worker processes: whom their end blames, and what confines them.
mod workers;
