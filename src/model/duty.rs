//! What a contractor is to do about an incident within an agreed time.

use super::{closed::closed, worded};

closed! {
    /// One of the two things.
    #[derive(PartialOrd, Ord)]
    pub enum Duty {
        /// To answer that they see to it.
        Respond "respond",
        /// To repair it.
        Repair "repair",
    }
}

worded!(Duty::text {
    Respond => "tiếp nhận", "response";
    Repair => "khắc phục", "repair";
});
