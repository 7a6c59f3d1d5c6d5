//! Durations in the configuration: `15m`, `24h`, `7d`. For `#[serde(with = "…")]`; a bare number is refused, since it
//! would leave its unit to a guess.

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serializer, de::Error};

/// Reads a duration such as `15m`.
///
/// # Errors
/// If the text is no duration.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse(&text).map_err(D::Error::custom)
}

/// Writes a duration as [`deserialize`] reads it.
///
/// # Errors
/// If the serializer fails.
pub fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&format(*duration))
}

/// Reads a duration such as `15m`.
///
/// # Errors
/// If the text is no duration, in words.
pub fn parse(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text).map_err(|_| format!("`{text}` is not a duration such as `15m`, `24h` or `7d`"))
}

pub(super) fn format(duration: Duration) -> String {
    let seconds = duration.as_secs();
    for (unit, length) in [("d", 86_400), ("h", 3600), ("m", 60)] {
        if duration.subsec_nanos() == 0 && seconds > 0 && seconds.is_multiple_of(length) {
            return format!("{}{unit}", seconds / length);
        }
    }
    humantime::format_duration(duration).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_survives_the_round_trip() {
        for text in ["15m", "24h", "7d", "90s", "250ms", "36h", "0s", "1h 30s"] {
            let duration = parse(text).unwrap();
            assert_eq!(parse(&format(duration)), Ok(duration), "{text}");
        }
        assert_eq!(format(Duration::from_hours(7 * 24)), "7d");
        assert_eq!(format(Duration::from_mins(15)), "15m");
    }

    #[test]
    fn what_has_no_unit_is_refused() {
        for text in ["", "15", "7 days long", "-5m", "five"] {
            assert!(parse(text).unwrap_err().contains("15m"), "{text}");
        }
    }
}
