//! Pages, metrics and the few commands over HTTP; reads only the last snapshot.
//!
//! Nothing here asks the core: a page and `/metrics` are pure functions of the same snapshot, so they cannot
//! contradict each other. Metrics are handed in as a function, since edges do not import each other.

mod accounts;
mod acme;
mod agent_facts;
mod agents;
mod api;
mod asked;
mod asking;
#[cfg(test)]
mod bounds_tests;
mod camera;
mod contract;
mod editing;
mod events;
mod explain;
mod exposition;
mod flood;
mod gate;
mod ground;
mod hosts;
mod incident;
mod incident_forms;
mod incidents;
mod labels;
mod link;
mod list;
mod map;
mod needed;
mod openid;
mod origin;
mod owners;
mod page;
mod passkeys;
mod past;
mod pending;
mod people;
mod pieces;
mod private;
#[cfg(test)]
mod province;
mod refuse;
mod rendered;
pub mod report;
#[cfg(test)]
mod rights_tests;
mod roster;
mod router;
mod rows;
#[cfg(test)]
mod scale_tests;
mod scraper;
mod second_step;
#[cfg(test)]
mod second_tests;
mod secrets;
mod seen;
mod server;
mod settings;
mod sign_in;
mod site;
mod sse;
mod state;
#[cfg(test)]
mod street;
mod tiles;
mod tls;
mod totp;
mod view;
mod visit;
mod visitor;
mod wall;
mod whole;
mod words;

pub use acme::{Acme, Proofs, Renewal, Standing};
#[cfg(any(fuzzing, test))]
pub use agents::fuzz;
pub use agents::{Agents, CodeFn, DoubtFn, HeardFn, PlanFn, packed, signed};
pub use asked::Asked;
pub use asking::why;
pub use editing::Turn;
pub use hosts::Hosts;
pub use incidents::{Incidents, Told};
pub use openid::Provider;
pub use past::{Measured, Sources};
pub use private::write as write_private;
pub use router::pages;
pub use secrets::{invitation, machine_token};
pub use server::{Encryption, Limits, serve, tuned};
pub use settings::{Claim, OpenId, Scrapers, Settings};
pub use state::{Access, AuditFn, OwnerFn, Signer, State};
pub use tls::{Keyring, Tls, TlsFile, Unusable, certificates, own_fingerprint};
