//! camhealth watches a commune's cameras over RTSP and ONVIF and wakes the right officer when an intersection goes
//! blind. It looks at device status only: no picture is ever decoded, stored or shown.
//!
//! # Bird's eye
//!
//! A functional core in an imperative shell. Everything that decides is a pure function of (state, event, now);
//! everything that touches the world is thin.
//!
//! ```text
//! schedule ──looks──▶ probe ──▶ observations ──▶ daemon::event_loop ──▶ monitor.handle(now, event) ──▶ effects
//!     ▲                 │                              │       (health, topology, coverage, alert)         │
//!     └── what it found  └─ worker processes           └──◀── one transaction in journal ◀─────────────────┘
//!                            (RTSP, oxvif)                        │
//!                                                                 ├─▶ outbox rows ─▶ daemon::relay ─▶ deliver ─▶ people
//!                                                                 │                  (outbox says what is told next)
//!                                                                 └─▶ snapshot ─▶ web, metrics
//! ```
//!
//! # Who may import whom
//!
//! A star: everything may import [`model`], which imports nothing of ours. Core modules ([`health`], [`coverage`],
//! [`topology`], [`alert`], [`outbox`], [`placement`], [`call`], [`request`], [`rights`], [`edits`], [`uptime`], [`inventory`]) and edges ([`probe`], [`schedule`],
//! [`journal`], [`deliver`], [`metrics`], [`web`], [`sim`], [`dashboards`]) never import each other: `schedule` is handed
//! the probe, and `web` the metrics, as functions. Of [`schedule`] all but the runner is core too: the plan, gates, cadence and budgets.
//! [`monitor`] alone joins the core. Each module owns its `Settings`; [`config`] fills them. Only [`daemon`], [`agent`], [`province`] and
//! [`cli`] know all. Files do not import each other in a circle.
//!
//! # Invariants
//!
//! - The core names no clock, socket, file, randomness or runtime, and cannot fail. Clippy (`clippy.toml`) and
//!   `tests/architecture.rs` hold that wall from both sides.
//! - A view is covered only by cameras that have proven by media that they see, no longer ago than their limit.
//! - Nothing is told to anybody before it is durable.
//! - Pages and `/metrics` are functions of one snapshot, so they cannot contradict each other; HTTP never asks the core.
//! - What third-party parsers read of a camera's answers they read in a worker process with a hard memory limit.
//! - There is no decoder or image crate, and no password in a log, metric, page, error or message.
//!
//! `tests/architecture.rs` and `tests/dependencies.rs` hold these rules; `ARCHITECTURE.md` gives the reasons, and
//! `CONTRIBUTING.md` has recipes for the changes that people make.
#![doc = ""]
#![doc = include_str!("../docs/glossary.md")]

// What decides. It names no clock, socket, file or randomness: clippy.toml disallows them.
pub mod model;

pub mod alert;
pub mod call;
pub mod coverage;
pub mod edits;
pub mod health;
pub mod inventory;
pub mod monitor;
pub mod outbox;
pub mod placement;
pub mod request;
pub mod rights;
pub mod topology;
pub mod uptime;

// The edges: each may touch the world, for one concern.
#[allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "it tells the time")]
pub mod clock;
pub mod dashboards;
#[allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "it sends")]
pub mod deliver;
#[allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "it is a file")]
pub mod journal;
#[allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "it reads /proc")]
pub mod metrics;
#[allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "it asks cameras")]
pub mod probe;
pub mod schedule;
#[allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "it is cameras")]
pub mod sim;
#[allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "it answers visitors")]
pub mod web;

// Those that know all.
#[allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "it is a shell")]
pub mod agent;
#[allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "it is the shell's outside")]
pub mod cli;
#[allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "it reads files and secrets")]
pub mod config;
#[allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "it is the shell")]
pub mod daemon;
#[allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "it starts daemons")]
pub mod province;
