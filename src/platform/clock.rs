//! Time as the rest of the crate sees it: a clock that is handed in, and instants in microseconds since the Unix epoch.
//! Nobody else reads the operating system's clock, so a test can stand at any moment. All arithmetic saturates: no
//! configured duration can overflow into the past.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, SystemTime},
};

use serde::{Serialize, Serializer};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// An instant in microseconds since the Unix epoch, as the database stores it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// Takes microseconds since the Unix epoch.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since the Unix epoch.
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// The instant that is `duration` later.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(micros_of(duration)))
    }

    /// The instant that is `duration` earlier.
    #[must_use]
    pub fn minus(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(micros_of(duration)))
    }

    /// The time from `earlier` to here; zero if `earlier` lies after it.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// RFC 3339 text in UTC with milliseconds, such as `2026-11-21T14:10:00.000Z`.
    pub fn to_rfc3339(self) -> String {
        let at = self.to_date_time();
        let (date, time) = (at.date(), at.time());
        format!(
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
            date.year(),
            u8::from(date.month()),
            date.day(),
            time.hour(),
            time.minute(),
            time.second(),
            time.millisecond()
        )
    }

    /// Reads RFC 3339 text, such as `2026-11-21T14:10:00.123Z`, or a day, such as `2026-11-21`, as its beginning in UTC.
    /// `None` for anything else.
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        let is_day = text.len() == "2026-11-21".len();
        let text = if is_day { format!("{text}T00:00:00Z") } else { text.to_owned() };
        let at = OffsetDateTime::parse(&text, &Rfc3339).ok()?;
        i64::try_from(at.unix_timestamp_nanos().div_euclid(1000)).ok().map(Self)
    }

    /// The instant at the beginning of its millisecond, which is as exact as [`Self::to_rfc3339`] writes one.
    #[must_use]
    pub fn to_milliseconds(self) -> Self {
        Self(self.0 - self.0.rem_euclid(1_000))
    }

    /// The calendar form; an instant before year 0 or after 9999, which RFC 3339 can't write, becomes the epoch.
    fn to_date_time(self) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1000)
            .ok()
            .filter(|at| (0..=9999).contains(&at.year()))
            .unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }
}

fn micros_of(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_rfc3339())
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_rfc3339())
    }
}

/// Tells the time: the operating system's, or one that a test sets.
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    System,
    Fixed(Arc<AtomicI64>),
}

impl Clock {
    /// The operating system's clock.
    pub const fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that stands still at `now`; its clones stand at the same instant.
    pub fn fixed(now: Timestamp) -> Self {
        Self(Source::Fixed(Arc::new(AtomicI64::new(now.0))))
    }

    /// The current instant.
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            Source::System => system_now(),
            Source::Fixed(micros) => Timestamp(micros.load(Ordering::SeqCst)),
        }
    }

    /// Moves a fixed clock and its clones forward; the system's clock can't be moved and stays as it is.
    pub fn advance(&self, duration: Duration) {
        if let Source::Fixed(micros) = &self.0 {
            micros.fetch_add(micros_of(duration), Ordering::SeqCst);
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the clock that everyone else is handed")]
fn system_now() -> Timestamp {
    let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp(micros_of(since_epoch))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arithmetic_saturates() {
        let start = Timestamp::from_micros(1_000_000);
        assert_eq!(start.plus(Duration::from_secs(1)).as_micros(), 2_000_000);
        assert_eq!(start.minus(Duration::from_secs(2)).as_micros(), -1_000_000);
        assert_eq!(start.plus(Duration::MAX).as_micros(), i64::MAX);
        assert_eq!(start.plus(Duration::from_secs(3)).since(start), Duration::from_secs(3));
        assert_eq!(start.since(start.plus(Duration::from_secs(3))), Duration::ZERO);
        assert_eq!(Timestamp::from_micros(i64::MIN).minus(Duration::MAX).as_micros(), i64::MIN);
    }

    #[test]
    fn text_is_rfc3339_in_utc_with_milliseconds() {
        for (micros, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (1_795_270_200_123_999, "2026-11-21T14:10:00.123Z"),
            (951_782_400_000_000, "2000-02-29T00:00:00.000Z"),
            (-1, "1969-12-31T23:59:59.999Z"),
            (i64::MAX, "1970-01-01T00:00:00.000Z"),
            (i64::MIN, "1970-01-01T00:00:00.000Z"),
        ] {
            assert_eq!(Timestamp::from_micros(micros).to_rfc3339(), text);
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        for (text, micros) in [
            ("1970-01-01T00:00:00.000Z", Some(0)),
            ("2026-11-21T14:10:00.123Z", Some(1_795_270_200_123_000)),
            ("2026-11-21T15:10:00.123456+01:00", Some(1_795_270_200_123_456)),
            ("1969-12-31T23:59:59.999Z", Some(-1_000)),
            ("2000-02-29", Some(951_782_400_000_000)),
            ("2001-02-29", None),
            ("2026-11-21T14:10:00", None),
            ("yesterday", None),
            ("1795270200", None),
            ("é026-11-2", None),
            ("", None),
        ] {
            assert_eq!(Timestamp::parse_rfc3339(text), micros.map(Timestamp), "{text}");
        }
        assert_eq!(Timestamp(-1).to_milliseconds(), Timestamp(-1_000));
        assert_eq!(Timestamp(1_999).to_milliseconds(), Timestamp(1_000));
    }

    #[test]
    fn only_a_fixed_clock_can_be_moved() {
        let fixed = Clock::fixed(Timestamp::from_micros(5));
        let clone = fixed.clone();
        fixed.advance(Duration::from_micros(10));
        assert_eq!(clone.now(), Timestamp::from_micros(15));

        let system = Clock::system();
        let before = system.now();
        system.advance(Duration::from_hours(1));
        assert!(system.now().since(before) < Duration::from_mins(10));
    }
}
