//! Words of an effect: the change with its interval, its p-value, and the smallest change that could have been seen.

use crate::{
    analysis::{Effect, Interval},
    report::format::{THIN, factor, signed, significant},
};

/// Ratios from this on are reported as factors.
const AS_FACTOR: f64 = 3.0;

/// A change with its interval: `+6.1 % [+4.0, +8.3]`.
pub(in crate::report) fn effect(effect: &Effect) -> String {
    format!("{} {}", changed(effect.ratio.point), interval(effect.ratio))
}

/// A ratio as a change: `+6.1 %`, `−3.0 %`, `3.20×`.
pub(in crate::report) fn changed(ratio: f64) -> String {
    if !ratio.is_finite() {
        "any".to_owned()
    } else if ratio >= AS_FACTOR {
        factor(ratio)
    } else {
        format!("{}{THIN}%", signed(ratio))
    }
}

/// The interval of a change alone.
pub(in crate::report) fn interval(ratio: Interval) -> String {
    let write = if ratio.point >= AS_FACTOR { significant } else { signed };
    ratio.ends().map_or_else(|| "[unknown]".to_owned(), |(low, high)| format!("[{}, {}]", write(low), write(high)))
}

/// A p-value: `p = 0.0039`, `p < 0.0001`.
pub(in crate::report) fn p_value(p: f64) -> String {
    if p < 1e-4 { format!("p {}", p_digits(p)) } else { format!("p = {}", p_digits(p)) }
}

/// The digits of a p-value.
pub(in crate::report) fn p_digits(p: f64) -> String {
    match p {
        small if small < 1e-4 => format!("<{THIN}0.0001"),
        small if small < 0.1 => format!("{small:.4}"),
        p => format!("{p:.2}"),
    }
}

/// The smallest worsening that could have been seen; `None` where no sensible one could.
pub(in crate::report) fn detectable(effect: &Effect) -> Option<f64> {
    effect.smallest_detectable.filter(|share| *share < 10.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::format::plain;

    #[test]
    fn changes_have_a_sign_and_a_decimal() {
        let written = [1.061, 0.995_8, 1.0, 3.2, 1.000_1].map(|ratio| plain(&changed(ratio)));
        assert_eq!(written, ["+6.1 %", "−0.4 %", "0.0 %", "3.20×", "0.0 %"]);
        assert_eq!([0.2, 0.000_2, 0.000_01].map(|p| plain(&p_value(p))), ["p = 0.20", "p = 0.0002", "p < 0.0001"]);
    }
}
