//! What a row of the outbox says of an SMS that was sent: in how many parts, and what the gateway called it.

use std::{fmt, str::FromStr};

/// What became of an SMS. Written as the row's receipt, so that a start anew knows what the day has cost so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SmsReceipt {
    /// In how many parts it was sent, each of which is paid.
    pub parts: u32,
    /// What the gateway called it, if it called it anything.
    pub id: Option<String>,
}

impl fmt::Display for SmsReceipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sms:{}:{}", self.parts, self.id.as_deref().unwrap_or_default())
    }
}

/// It is another channel's receipt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoSms;

impl FromStr for SmsReceipt {
    type Err = NoSms;

    fn from_str(text: &str) -> Result<Self, NoSms> {
        let (parts, id) = text.strip_prefix("sms:").and_then(|rest| rest.split_once(':')).ok_or(NoSms)?;
        let id = Some(id.to_owned()).filter(|id| !id.is_empty());
        Ok(Self { parts: parts.parse().map_err(|_| NoSms)?, id })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_bots_receipt_is_none_of_an_sms() {
        for text in ["", "42", "sms", "sms:", "sms:x:1", "sms:-1:", "sms:1"] {
            assert_eq!(text.parse::<SmsReceipt>(), Err(NoSms), "{text}");
        }
    }

    proptest! {
        #[test]
        fn it_is_read_as_it_was_written(parts in any::<u32>(), id in prop::option::of("[a-z0-9:]{1,40}")) {
            let receipt = SmsReceipt { parts, id };
            prop_assert_eq!(receipt.to_string().parse(), Ok(receipt));
        }
    }
}
