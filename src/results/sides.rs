//! The two sides of a comparison: A is what is known, B is what is asked about.

use std::ops::{Index, IndexMut};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{Display, VariantArray};

/// One of the sides, 0 for A and 1 for B in JSON.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema, Display, VariantArray,
)]
#[serde(try_from = "u32", into = "u32")]
pub enum Side {
    /// What is known.
    A,
    /// What is asked about.
    B,
}

impl Side {
    /// The one that is not this one.
    #[must_use]
    pub fn other(self) -> Self {
        if self == Self::A { Self::B } else { Self::A }
    }
}

impl From<Side> for u32 {
    fn from(side: Side) -> Self {
        side as Self
    }
}

impl TryFrom<u32> for Side {
    type Error = String;

    fn try_from(number: u32) -> Result<Self, String> {
        let side = Self::VARIANTS.get(number as usize).copied();
        side.ok_or_else(|| format!("there is no arm {number}: 0 is A, 1 is B"))
    }
}

/// A value of each side, in JSON a list: A, then B.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(from = "[T; 2]", into = "[T; 2]", bound(serialize = "T: Serialize + Clone"))]
pub struct Sides<T> {
    /// Of A.
    pub a: T,
    /// Of B.
    pub b: T,
}

impl<T> Sides<T> {
    /// Values by their side.
    pub fn each(mut of: impl FnMut(Side) -> T) -> Self {
        Self { a: of(Side::A), b: of(Side::B) }
    }

    /// What a function makes of either value.
    pub fn map<U>(self, mut of: impl FnMut(T) -> U) -> Sides<U> {
        Sides { a: of(self.a), b: of(self.b) }
    }

    /// References to the values.
    pub fn as_ref(&self) -> Sides<&T> {
        Sides { a: &self.a, b: &self.b }
    }

    /// The values, A first.
    pub fn iter(&self) -> impl Iterator<Item = &T> + Clone {
        [&self.a, &self.b].into_iter()
    }

    /// The values with their sides, A first.
    pub fn named(&self) -> impl Iterator<Item = (Side, &T)> + Clone {
        Side::VARIANTS.iter().copied().zip(self.iter())
    }
}

impl<T> From<[T; 2]> for Sides<T> {
    fn from([a, b]: [T; 2]) -> Self {
        Self { a, b }
    }
}

impl<T> From<Sides<T>> for [T; 2] {
    fn from(sides: Sides<T>) -> Self {
        [sides.a, sides.b]
    }
}

impl<T> Index<Side> for Sides<T> {
    type Output = T;

    fn index(&self, side: Side) -> &T {
        if side == Side::A { &self.a } else { &self.b }
    }
}

impl<T> IndexMut<Side> for Sides<T> {
    fn index_mut(&mut self, side: Side) -> &mut T {
        if side == Side::A { &mut self.a } else { &mut self.b }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_has_a_list_of_both_and_the_number_of_one() {
        let sides = Sides { a: 1.5, b: 2.5 };
        assert_eq!(serde_json::to_string(&sides).unwrap(), "[1.5,2.5]");
        assert_eq!(serde_json::from_str::<Sides<f64>>("[1.5,2.5]").unwrap(), sides);
        for side in [Side::A, Side::B] {
            let text = serde_json::to_string(&side).unwrap();
            assert_eq!(serde_json::from_str::<Side>(&text).unwrap(), side);
            assert_ne!(side.other(), side);
        }
        assert!(serde_json::from_str::<Side>("2").unwrap_err().to_string().contains("no arm 2"));
    }
}
