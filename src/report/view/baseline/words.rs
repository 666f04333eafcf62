//! Words and numbers of comparisons.

pub(super) use crate::report::view::effect::{changed, p_digits, p_value};
use crate::{
    analysis::{
        Effect,
        baseline::{Difference, DifferenceKind, Quantity, QuantityChange},
    },
    report::{
        format::{self, NOTHING},
        view::effect::effect,
    },
};

/// The word for a quantity.
pub(super) fn quantity_words(quantity: Quantity) -> &'static str {
    match quantity {
        Quantity::P50 => "p50",
        Quantity::P99 => "p99",
        Quantity::Throughput => "throughput",
    }
}

/// The field or setting that differs, where it is one of several.
pub(in crate::report) fn difference_field(kind: &DifferenceKind) -> Option<&str> {
    match kind {
        DifferenceKind::Scenario(field) | DifferenceKind::Occasion(field) | DifferenceKind::Setting(field) => {
            Some(field)
        }
        _ => None,
    }
}

/// What differs.
pub(super) fn difference_words(difference: &Difference) -> String {
    match &difference.kind {
        DifferenceKind::Scenario(field) => format!("scenario: {field}"),
        DifferenceKind::Occasion(field) => format!("occasion: {field}"),
        DifferenceKind::Product => "server".to_owned(),
        DifferenceKind::Version => "version of the server".to_owned(),
        DifferenceKind::Mode => "mode of the server".to_owned(),
        DifferenceKind::Primaries => "number of primaries".to_owned(),
        DifferenceKind::Replicas => "number of replicas".to_owned(),
        DifferenceKind::Setting(name) => format!("setting of the server: {name}"),
        DifferenceKind::Private => "kind of server".to_owned(),
        DifferenceKind::Address => "address of the server".to_owned(),
        DifferenceKind::SameMachine => "machine of the server".to_owned(),
        DifferenceKind::Plimsoll => "plimsoll".to_owned(),
        DifferenceKind::Fred => "fred".to_owned(),
        DifferenceKind::Profile => "build profile".to_owned(),
        DifferenceKind::Generators => "generators".to_owned(),
        DifferenceKind::Cpu => "CPU of the harness".to_owned(),
        DifferenceKind::Cores => "cores of the harness".to_owned(),
        DifferenceKind::Kernel => "kernel of the harness".to_owned(),
        DifferenceKind::Pacing => "pacing".to_owned(),
        DifferenceKind::Workers => "workers".to_owned(),
    }
}

/// The same with both values: `version of the server (7.0.15, now 7.2.4)`.
pub fn difference_in_words(difference: &Difference) -> String {
    let or_nothing = |value: &str| if value.is_empty() { "nothing".to_owned() } else { value.to_owned() };
    format!("{} ({}, now {})", difference_words(difference), or_nothing(&difference.base), or_nothing(&difference.run))
}

/// A value of a quantity with its unit.
pub(super) fn value(quantity: Quantity, value: f64) -> String {
    match quantity {
        Quantity::Throughput => format::rate(value),
        Quantity::P50 | Quantity::P99 => format::duration(value),
    }
}

/// Sign behind a change that is one of values divided by the machine's reference; legends explain it.
pub(super) fn mark(change: &QuantityChange) -> &'static str {
    if change.calibrated { "‡" } else { "" }
}

/// Explanation of that sign.
pub(super) const CALIBRATED: &str =
    "‡ Change of values divided by the machine's reference, since that lowers the spread.";

/// A change with its interval, where it has one: `+6.1 % [+4.0, +8.3]`.
pub(super) fn change(change: &QuantityChange) -> String {
    match change.effect {
        Some(known) if known.ratio.ends().is_some() => effect(&known),
        Some(Effect { ratio, .. }) => changed(ratio.point),
        None => NOTHING.to_owned(),
    }
}
