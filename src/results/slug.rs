//! Words for programs.

use std::fmt;

use serde::Serialize;

/// The word by which a variant without fields is saved and printed for programs, as serde's attributes say.
pub fn slug(variant: &impl Serialize) -> String {
    struct Word<'a, T>(&'a T);

    impl<T: Serialize> fmt::Display for Word<'_, T> {
        fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.0.serialize(formatter)
        }
    }

    Word(variant).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::{Ended, Persistence};

    #[test]
    fn words_are_those_of_saved_results() {
        assert_eq!(slug(&Ended::Budget), "budget");
        assert_eq!(slug(&Persistence::AofRewrite), "aof-rewrite");
    }
}
