//! Axes without their looks: from values to positions, and where the ticks go.

use super::units;

/// One axis: maps values to positions between two ends. Values beyond the ends land on them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Scale {
    kind: Kind,
    low: f64,
    high: f64,
    from: f64,
    to: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Linear,
    Log,
}

/// A percentile by its distance from 100 %: the number of nines, `-log10(1 - p)`.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub(super) struct Tail {
    nines: f64,
}

impl Tail {
    /// Of a percentile in percent.
    pub(super) fn of_percent(percent: f64) -> Self {
        Self { nines: -(1.0 - percent / 100.0).max(1e-15).log10() }
    }

    pub(super) const fn from_nines(nines: f64) -> Self {
        Self { nines }
    }

    pub(super) fn nines(self) -> f64 {
        self.nines
    }

    /// As a share, 0..=1.
    pub(super) fn quantile(self) -> f64 {
        1.0 - 10_f64.powf(-self.nines)
    }

    fn label(self) -> String {
        let decimals = (self.nines - 2.0).round().max(0.0) as usize;
        format!("{:.decimals$} %", self.quantile() * 100.0)
    }
}

/// A tick: its position on the axis and its label.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tick {
    pub(super) at: f64,
    pub(super) label: String,
}

/// Mantissas at which log axes end and have ticks: of an axis over several times its lowest value, and of a shorter one.
const COARSE: [f64; 3] = [1.0, 2.0, 5.0];
const FINE: [f64; 13] = [1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5, 5.0, 6.0, 7.0, 8.0, 9.0];
/// Ratio of the ends of a log axis from which on it is coarse.
const SEVERAL: f64 = 4.0;

/// Steps of an axis of time, in seconds.
const TIME_STEPS: [f64; 21] = [
    1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1_200.0, 1_800.0, 3_600.0, 7_200.0, 14_400.0, 21_600.0,
    43_200.0, 86_400.0, 172_800.0, 432_000.0, 864_000.0,
];

impl Scale {
    fn new(kind: Kind, low: f64, high: f64) -> Self {
        Self { kind, low, high, from: 0.0, to: 1.0 }
    }

    /// The same values between other ends.
    pub(super) fn between(self, from: f64, to: f64) -> Self {
        Self { from, to, ..self }
    }

    /// Durations in nanoseconds on a log axis that ends at round values.
    pub(super) fn durations(values: impl IntoIterator<Item = f64>) -> Self {
        let (mut low, mut high) = (f64::INFINITY, 0.0_f64);
        for value in values.into_iter().filter(|value| value.is_finite()) {
            low = low.min(value.max(1.0));
            high = high.max(value.max(1.0));
        }
        if low > high {
            (low, high) = (1e4, 1e8);
        }
        let (low, high) = (low * 0.85, high * 1.08);
        let mantissas: &[f64] = if high / low < SEVERAL { &FINE } else { &COARSE };
        Self::new(Kind::Log, rounded_down(low, mantissas), rounded_up(high, mantissas))
    }

    /// From 0 to a round number that leaves some room above the largest value.
    pub(super) fn amounts(largest: f64) -> Self {
        let largest = if largest.is_finite() && largest > 0.0 { largest } else { 1.0 };
        let step = rounded_up(largest / 5.0, &COARSE);
        Self::new(Kind::Linear, 0.0, (largest * 1.04 / step).ceil() * step)
    }

    /// From 0 to the largest value.
    pub(super) fn lengths(largest: f64) -> Self {
        let largest = if largest.is_finite() && largest > 0.0 { largest } else { 1.0 };
        Self::new(Kind::Linear, 0.0, largest)
    }

    /// Changes as shares, 0 being none, with some room at both ends.
    pub(super) fn changes(values: impl IntoIterator<Item = f64>) -> Self {
        let (mut low, mut high) = (0.0_f64, 0.0_f64);
        for value in values.into_iter().filter(|value| value.is_finite()) {
            low = low.min(value);
            high = high.max(value);
        }
        let room = 0.08 * (high - low).max(0.01);
        Self::new(Kind::Linear, low - room, high + room)
    }

    /// Seconds from 0.
    pub(super) fn time(seconds: f64) -> Self {
        Self::new(Kind::Linear, 0.0, seconds.max(1.0))
    }

    /// The tail of a distribution: every nine takes the same space.
    pub(super) fn tail(end: Tail) -> Self {
        Self::new(Kind::Linear, 0.0, end.nines().max(2.0))
    }

    /// Position of a value.
    pub(super) fn at(&self, value: f64) -> f64 {
        let share = match self.kind {
            Kind::Linear => (value - self.low) / (self.high - self.low),
            Kind::Log => (value.max(f64::MIN_POSITIVE) / self.low).ln() / (self.high / self.low).ln(),
        };
        self.from + share.clamp(0.0, 1.0) * (self.to - self.from)
    }

    /// The smallest value.
    pub(super) fn low(&self) -> f64 {
        self.low
    }

    /// The largest value.
    pub(super) fn high(&self) -> f64 {
        self.high
    }

    /// Ticks of an axis of durations at 1, 2 and 5 times powers of ten, fewer where they would come closer than `gap`, and
    /// more where the axis is short.
    pub(super) fn duration_ticks(&self, gap: f64) -> Vec<Tick> {
        let first = self.low.log10().floor() as i32;
        let last = self.high.log10().ceil() as i32;
        let ticks = |mantissas: &[f64], every: i32| -> Vec<Tick> {
            (first..=last)
                .filter(|decade| decade % every == 0)
                .flat_map(|decade| mantissas.iter().map(move |mantissa| mantissa * 10_f64.powi(decade)))
                .filter(|value| (self.low * 0.999..=self.high * 1.001).contains(value))
                .map(|value| Tick { at: self.at(value), label: units::duration(value) })
                .collect()
        };
        let choices: [(&[f64], i32); 6] = [
            (&FINE, 1),
            (&[1.0, 1.5, 2.0, 3.0, 5.0, 7.0], 1),
            (&COARSE, 1),
            (&[1.0, 3.0], 1),
            (&[1.0], 1),
            (&[1.0], 3),
        ];
        let choices = if self.high / self.low < SEVERAL { &choices } else { &choices[2..] };
        let fits = |ticks: &Vec<Tick>| ticks.windows(2).all(|pair| (pair[1].at - pair[0].at).abs() >= gap);
        let mut all = choices.iter().map(|(mantissas, every)| ticks(mantissas, *every));
        all.find(fits).unwrap_or_default()
    }

    /// Ticks of an axis of amounts.
    pub(super) fn amount_ticks(&self, gap: f64) -> Vec<Tick> {
        self.even_ticks(gap, units::count)
    }

    /// Ticks of an axis of amounts that are durations in nanoseconds.
    pub(super) fn duration_steps(&self, gap: f64) -> Vec<Tick> {
        self.even_ticks(gap, |nanos| if nanos > 0.0 { units::duration(nanos) } else { "0".to_owned() })
    }

    fn even_ticks(&self, gap: f64, label: impl Fn(f64) -> String) -> Vec<Tick> {
        let most = ((self.to - self.from).abs() / gap).max(1.0);
        let step = rounded_up(self.high / most, &COARSE);
        (0..=(self.high / step * 1.000_1) as u32)
            .map(|number| f64::from(number) * step)
            .map(|value| Tick { at: self.at(value), label: label(value) })
            .collect()
    }

    /// Ticks of an axis of changes, in percent.
    pub(super) fn change_ticks(&self, gap: f64) -> Vec<Tick> {
        let most = ((self.to - self.from).abs() / gap).max(1.0);
        let step = rounded_up((self.high - self.low) / most, &COARSE);
        let decimals = (-(step * 100.0).log10().floor()).max(0.0) as usize;
        ((self.low / step).ceil() as i32..=(self.high / step).floor() as i32)
            .map(|number| (f64::from(number) * step, number))
            .map(|(value, number)| {
                let percent = format!("{:.decimals$}", value.abs() * 100.0);
                let sign = if number < 0 { "−" } else { "+" };
                let label = if number == 0 { "0".to_owned() } else { format!("{sign}{percent} %") };
                Tick { at: self.at(value), label }
            })
            .collect()
    }

    /// Ticks of an axis of time and the unit that their labels are in.
    pub(super) fn time_ticks(&self, gap: f64) -> (Vec<Tick>, &'static str) {
        let (unit, name) = match self.high {
            seconds if seconds <= 180.0 => (1.0, "s"),
            seconds if seconds <= 10_800.0 => (60.0, "min"),
            _ => (3_600.0, "h"),
        };
        let most = ((self.to - self.from).abs() / gap).max(1.0);
        let fitting = TIME_STEPS.into_iter().find(|step| self.high / step <= most);
        let step = fitting.unwrap_or_else(|| rounded_up(self.high / most, &COARSE));
        let ticks = (0..=(self.high / step) as u32)
            .map(|number| f64::from(number) * step)
            .map(|seconds| Tick { at: self.at(seconds), label: units::count(seconds / unit) })
            .collect();
        (ticks, name)
    }

    /// Ticks of a tail: 0, 50, 90, 99, 99.9 ... percent.
    pub(super) fn tail_ticks(&self) -> Vec<Tick> {
        let nines = (1..=(self.high + 1e-9).floor() as i32).map(|nines| Tail::from_nines(f64::from(nines)));
        [Tail::of_percent(0.0), Tail::of_percent(50.0)]
            .into_iter()
            .chain(nines)
            .map(|tail| Tick { at: self.at(tail.nines()), label: tail.label() })
            .collect()
    }
}

/// The largest product of a mantissa and a power of ten that is at most `value`.
fn rounded_down(value: f64, mantissas: &[f64]) -> f64 {
    let decade = decade_of(value);
    let mut steps = mantissas.iter().rev().map(|mantissa| mantissa * decade);
    steps.find(|step| *step <= value * 1.000_1).unwrap_or(decade)
}

/// The smallest product of a mantissa and a power of ten that is at least `value`.
fn rounded_up(value: f64, mantissas: &[f64]) -> f64 {
    let decade = decade_of(value);
    let mut steps = mantissas.iter().map(|mantissa| mantissa * decade);
    steps.find(|step| *step >= value * 0.999_9).unwrap_or(10.0 * decade)
}

fn decade_of(value: f64) -> f64 {
    10_f64.powi((value.max(f64::MIN_POSITIVE).log10() + 1e-9).floor() as i32)
}

#[cfg(test)]
mod tests {
    use proptest::{prop_assert, proptest};

    use super::*;

    fn labels(ticks: &[Tick]) -> Vec<&str> {
        ticks.iter().map(|tick| tick.label.as_str()).collect()
    }

    #[test]
    fn log_ticks_are_1_2_5_and_thin_out() {
        let scale = Scale::durations([60_000.0, 1.7e6]).between(300.0, 0.0);
        assert_eq!(labels(&scale.duration_ticks(20.0)), ["50 µs", "100 µs", "200 µs", "500 µs", "1 ms", "2 ms"]);
        assert_eq!(labels(&scale.duration_ticks(100.0)), ["100 µs", "1 ms"]);
    }

    #[test]
    fn a_log_axis_over_little_ends_close_to_its_values_and_has_finer_ticks() {
        let scale = Scale::durations([370_000.0, 450_000.0]).between(240.0, 0.0);
        assert_eq!(labels(&scale.duration_ticks(22.0)), ["300 µs", "350 µs", "400 µs", "450 µs", "500 µs"]);
        let scale = Scale::durations([850_000.0, 1.05e6]).between(120.0, 0.0);
        assert_eq!(labels(&scale.duration_ticks(21.0)), ["700 µs", "1 ms", "1.5 ms"]);
    }

    #[test]
    fn amounts_start_at_zero_and_end_above_the_largest() {
        let scale = Scale::amounts(9_870.0).between(100.0, 0.0);
        assert_eq!(labels(&scale.amount_ticks(25.0)), ["0", "5000", "10k"]);
        assert!(scale.at(9_870.0) > 0.0);
    }

    #[test]
    fn time_is_reported_in_the_unit_that_fits() {
        let ticks = |seconds: f64| {
            let scale = Scale::time(seconds).between(0.0, 700.0);
            let (ticks, unit) = scale.time_ticks(60.0);
            (labels(&ticks).join(" "), unit)
        };
        assert_eq!(ticks(10.0), ("0 1 2 3 4 5 6 7 8 9 10".to_owned(), "s"));
        assert_eq!(ticks(600.0), ("0 1 2 3 4 5 6 7 8 9 10".to_owned(), "min"));
        assert_eq!(ticks(86_400.0), ("0 4 8 12 16 20 24".to_owned(), "h"));
    }

    #[test]
    fn every_nine_takes_the_same_space() {
        let scale = Scale::tail(Tail::of_percent(99.99)).between(0.0, 400.0);
        let ticks = scale.tail_ticks();
        assert_eq!(labels(&ticks), ["0 %", "50 %", "90 %", "99 %", "99.9 %", "99.99 %"]);
        assert!((ticks[3].at - 200.0).abs() < 1e-6 && (ticks[5].at - 400.0).abs() < 1e-6);
    }

    proptest! {
        #[test]
        fn every_value_lies_on_its_axis(values in proptest::collection::vec(0.0..1e13_f64, 0..9)) {
            let scale = Scale::durations(values.clone()).between(300.0, 0.0);
            for value in values {
                prop_assert!((scale.low..=scale.high).contains(&value.max(1.0)));
            }
            let ticks = scale.duration_ticks(20.0);
            prop_assert!(!ticks.is_empty());
            prop_assert!(ticks.windows(2).all(|pair| pair[0].at - pair[1].at >= 20.0));
        }
    }
}
