//! One limit, as the configuration writes it: `30/1m` is 30 tries at once, refilled evenly over a minute.

use std::{fmt, str::FromStr, time::Duration};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

use crate::platform::duration_text;

/// How often something may be tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Tries that may be made at once; 0 turns the limit off.
    pub tries: u32,
    /// The time in which all tries come back, evenly.
    pub per: Duration,
}

/// The text is no limit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a limit such as `30/1m`, or `off`")]
pub struct InvalidLimit(String);

impl Limit {
    /// No limit at all.
    pub const OFF: Self = Self { tries: 0, per: Duration::ZERO };

    /// A limit of `tries` per `per`.
    pub const fn new(tries: u32, per: Duration) -> Self {
        Self { tries, per }
    }

    /// Whether everything is let through.
    pub const fn is_off(self) -> bool {
        self.tries == 0
    }

    /// The time in which one try comes back, in microseconds; at least one.
    pub(super) fn micros_a_try(self) -> i64 {
        (self.micros() / i64::from(self.tries.max(1))).max(1)
    }

    /// The time in which all tries come back, in microseconds.
    pub(super) fn micros(self) -> i64 {
        i64::try_from(self.per.as_micros()).unwrap_or(i64::MAX / 4).min(i64::MAX / 4)
    }
}

impl FromStr for Limit {
    type Err = InvalidLimit;

    fn from_str(text: &str) -> Result<Self, InvalidLimit> {
        if text == "off" {
            return Ok(Self::OFF);
        }
        let invalid = || InvalidLimit(text.to_owned());
        let (tries, per) = text.split_once('/').ok_or_else(invalid)?;
        let tries = tries.trim().parse().ok().filter(|tries| *tries > 0).ok_or_else(invalid)?;
        let per = duration_text::parse(per.trim()).ok().filter(|per| !per.is_zero()).ok_or_else(invalid)?;
        Ok(Self { tries, per })
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_off() {
            return f.write_str("off");
        }
        write!(f, "{}/{}", self.tries, duration_text::format(self.per))
    }
}

impl Serialize for Limit {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Limit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_survives_the_round_trip() {
        for text in ["30/1m", "5/1h", "1/7d", "100/1s", "off"] {
            assert_eq!(text.parse::<Limit>().unwrap().to_string(), text);
        }
        assert_eq!(" 30 / 1m ".parse::<Limit>(), Ok(Limit::new(30, Duration::from_mins(1))));
        assert!("off".parse::<Limit>().unwrap().is_off());
    }

    #[test]
    fn what_is_no_limit_is_refused() {
        for text in ["", "30", "0/1m", "30/0s", "-1/1m", "many/1m", "30/minute", "30/1m/2", "OFF"] {
            assert!(text.parse::<Limit>().is_err(), "{text:?}");
        }
    }
}
