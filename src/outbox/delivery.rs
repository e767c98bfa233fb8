//! For how long, and how often, it is asked what became of a message that a gateway accepted.

use std::time::Duration;

/// Waits before each question. A network that could not reach a telephone within hours has given up; who is on call was told
/// another way long before.
const WAITS: [Duration; 5] = [
    Duration::from_secs(10),
    Duration::from_secs(60),
    Duration::from_secs(5 * 60),
    Duration::from_secs(15 * 60),
    Duration::from_secs(60 * 60),
];

/// How long to wait before it is asked, after it was asked so often; `None` when it is asked no more.
pub fn ask_after(asked: usize) -> Option<Duration> {
    WAITS.get(asked).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_grow_rarer_and_end() {
        let waits: Vec<Duration> = (0..).map_while(ask_after).collect();
        assert!(waits.is_sorted() && waits.len() == WAITS.len());
        assert!(waits.iter().sum::<Duration>() < Duration::from_secs(2 * 3600), "it is bounded");
    }
}
