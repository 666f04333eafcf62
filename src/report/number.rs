//! Numbers in outputs for programs: units are in the names of fields and columns, decimals are decided here, so that
//! outputs are short and stable.

/// Nanoseconds as microseconds; three decimals are exact.
pub(super) fn micros(nanos: f64) -> f64 {
    rounded(nanos / 1e3, 3)
}

/// Nanoseconds as seconds, to the microsecond.
pub(super) fn seconds(nanos: u64) -> f64 {
    rounded(nanos as f64 / 1e9, 6)
}

/// A rate per second; three decimals suffice.
pub(super) fn per_second(rate: f64) -> f64 {
    rounded(rate, 3)
}

/// A share or a ratio, to a millionth.
pub(super) fn ratio(ratio: f64) -> f64 {
    rounded(ratio, 6)
}

/// A share or a ratio; `None` where it is infinite or undefined.
pub(super) fn finite(value: f64) -> Option<f64> {
    value.is_finite().then(|| ratio(value))
}

/// A value rounded to a number of decimals.
pub(super) fn rounded(value: f64, decimals: i32) -> f64 {
    let scale = 10_f64.powi(decimals);
    (value * scale).round() / scale
}
