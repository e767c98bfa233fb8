//! The tasks that the daemon consists of, by name.

use crate::model::closed;

closed! {
    /// The tasks without which the daemon does not do its work.
    #[derive(PartialOrd, Ord)]
    pub enum Task {
        /// Decides, and has everything remembered.
        EventLoop "event_loop",
        /// The thread that writes the journal.
        Journal "journal",
        /// Starts looks when they are due.
        Schedule "schedule",
        /// Serves pages, metrics and the API.
        Web "web",
        /// Carries notices from the outbox to the channels.
        Relay "relay",
        /// Reads the pages' certificate again when its files change.
        Certificates "certificates",
        /// Orders the pages' certificate from an authority.
        Acme "acme",
        /// Says when an agent is lost.
        Agents "agents",
        /// Keeps the contract's clock.
        Contract "contract",
        /// Reads what people answer to bots.
        Replies "replies",
        /// Keeps in touch with telephone exchanges.
        Trunks "trunks",
        /// Asks links' beacons and the monitor's anchors.
        Beacons "beacons",
        /// Tells the service manager that the daemon lives.
        ServiceManager "service_manager",
        /// Asks for the heartbeat's address.
        Heartbeat "heartbeat",
        /// Tells Alertmanagers what is open.
        Alertmanagers "alertmanagers",
        /// Tells people when nothing can be remembered, since then nothing else is told.
        Distress "distress",
    }
}
