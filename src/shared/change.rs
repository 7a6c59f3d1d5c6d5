//! A change of one thing: left out, it stays; told, it is another or none any more.

use serde::{Deserialize, Deserializer};

/// What becomes of a thing that may be there or not. A field of this type that may be left out needs `#[serde(default)]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Change<T> {
    /// It stays as it is.
    #[default]
    None,
    /// The new value, or none any more.
    To(Option<T>),
}

impl<T> Change<T> {
    /// The same change of another type, where a value may mean that there is none.
    pub fn and_then<U>(self, change: impl FnOnce(T) -> Option<U>) -> Change<U> {
        match self {
            Self::None => Change::None,
            Self::To(value) => Change::To(value.and_then(change)),
        }
    }

    /// Changes a thing.
    pub fn apply(self, thing: &mut Option<T>) {
        if let Self::To(value) = self {
            *thing = value;
        }
    }
}

/// `null` takes the value away.
impl<'de, T: Deserialize<'de>> Deserialize<'de> for Change<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::<T>::deserialize(deserializer).map(Self::To)
    }
}
