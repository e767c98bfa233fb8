//! What became of a message after a gateway accepted it, as the gateway tells.

use super::closed::closed;

closed! {
    /// What became of a message that was accepted.
    pub enum Delivery {
        /// It is on its way, as far as the gateway knows.
        Pending "pending",
        /// It arrived, as far as the gateway knows: eSMS says so of what the receiver's network took.
        Delivered "delivered",
        /// It did not, and will not.
        Failed "failed",
    }
}
