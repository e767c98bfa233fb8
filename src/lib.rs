//! camhealth watches a commune's cameras over RTSP and ONVIF and wakes the right officer when an intersection goes blind.
pub mod alert;
pub mod cli;
pub mod clock;
pub mod config;
pub mod coverage;
pub mod daemon;
pub mod deliver;
pub mod health;
pub mod journal;
pub mod metrics;
pub mod model;
pub mod monitor;
pub mod probe;
pub mod schedule;
pub mod sim;
pub mod web;
