//! One row over time, ready to be drawn: seconds, or stretches of seconds where a run is long.

use crate::analysis::Timeline;

use super::{
    canvas::{Area, Canvas, Marker, Pen, Point},
    plot::Axes,
};

/// More seconds than this are drawn in stretches.
const MOST_STEPS: usize = 700;

/// A row over time.
#[derive(Default)]
pub(super) struct Track {
    pub(super) steps: Vec<Step>,
    /// Seconds that each step covers.
    pub(super) stretch: usize,
}

/// One second or one stretch of seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Step {
    /// Its middle, in seconds since the start of the measured period.
    pub(super) middle: f64,
    /// p50, p99 and the maximum of the response time, in nanoseconds; of a stretch, those of its worst seconds.
    pub(super) response: Option<[f64; 3]>,
    /// Completed requests per second; `None` outside the measured period and in a second that it only touches.
    pub(super) rate: Option<f64>,
    /// Failed requests per second.
    pub(super) failures: f64,
}

impl Track {
    pub(super) fn new(timeline: &Timeline, measured: f64) -> Self {
        let stretch = timeline.seconds.len().div_ceil(MOST_STEPS).max(1);
        let steps = timeline.seconds.chunks(stretch).map(|moments| {
            let first = f64::from(moments[0].second);
            let length = moments.len() as f64;
            let mut response: Option<[f64; 3]> = None;
            for (p50, p99, max) in moments.iter().filter_map(|moment| moment.response) {
                let seen = [p50, p99, max].map(|nanos| nanos as f64);
                let worst = response.get_or_insert(seen);
                worst.iter_mut().zip(seen).for_each(|(worst, seen)| *worst = worst.max(seen));
            }
            // The last second of an interrupted run is measured in part: its count is no rate.
            let whole: Vec<_> = moments.iter().filter(|at| f64::from(at.second) + 1.0 <= measured + 1e-3).collect();
            let answered = whole.iter().map(|moment| moment.answered as f64).sum::<f64>();
            Step {
                middle: first + length / 2.0,
                response,
                rate: (!whole.is_empty()).then(|| answered / whole.len() as f64),
                failures: moments.iter().map(|moment| moment.failed as f64).sum::<f64>() / length,
            }
        });
        Self { steps: steps.collect(), stretch }
    }

    /// Where the last step ends, in seconds.
    pub(super) fn end(&self) -> f64 {
        self.steps.last().map_or(0.0, |step| step.middle + self.stretch as f64 / 2.0)
    }

    /// Every response time that is drawn.
    pub(super) fn responses(&self) -> impl Iterator<Item = f64> {
        self.steps.iter().filter_map(|step| step.response).flatten()
    }

    /// The highest rate.
    pub(super) fn highest_rate(&self) -> f64 {
        self.steps.iter().filter_map(|step| step.rate).fold(0.0, f64::max)
    }

    /// The highest rate of failures.
    pub(super) fn most_failures(&self) -> f64 {
        self.steps.iter().map(|step| step.failures).fold(0.0, f64::max)
    }

    /// One of p50, p99 and maximum as points, with a gap where nothing completed.
    pub(super) fn response_points(&self, which: usize, axes: &Axes) -> impl Iterator<Item = Option<Point>> {
        self.steps.iter().map(move |step| Some(axes.at((step.middle, step.response?[which]))))
    }

    /// The rate as points.
    pub(super) fn rate_points(&self, axes: &Axes) -> impl Iterator<Item = Option<Point>> {
        self.steps.iter().map(move |step| Some(axes.at((step.middle, step.rate?))))
    }

    /// Bars for the failures.
    pub(super) fn failure_bars(&self, axes: &Axes) -> impl Iterator<Item = Area> {
        let Axes { area, across, up } = *axes;
        let half = self.stretch as f64 / 2.0;
        self.steps.iter().filter(|step| step.failures > 0.0).map(move |step| {
            let (left, right) = (across.at(step.middle - half), across.at(step.middle + half));
            let gap = if right - left > 4.0 { 0.75 } else { 0.0 };
            // However few, they are seen.
            let top = up.at(step.failures).min(area.bottom - 1.5);
            Area { left: left + gap, top, right: (right - gap).max(left + gap + 1.0), bottom: area.bottom }
        })
    }
}

/// Draws a line that is broken where there is no point. A point without neighbours is drawn as a dot.
pub(super) fn trace(canvas: &mut Canvas, points: impl Iterator<Item = Option<Point>>, pen: Pen, marker: Marker) {
    let points: Vec<_> = points.collect();
    for run in points.split(Option::is_none) {
        let run: Vec<_> = run.iter().flatten().copied().collect();
        match run[..] {
            [single] => canvas.marker(single, marker, 7.0, pen.colour),
            _ => canvas.line(&run, pen),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::Moment;

    fn timeline(count: u32) -> Timeline {
        let moment = |second: u32| Moment {
            second,
            answered: 100,
            failed: u64::from(second % 2),
            response: (second != 1).then_some((u64::from(second) + 1, 20, 30)),
            ..Moment::default()
        };
        Timeline { seconds: (0..count).map(moment).collect() }
    }

    #[test]
    fn a_second_that_was_measured_in_part_has_no_rate() {
        let track = Track::new(&timeline(4), 2.5);
        let rates: Vec<_> = track.steps.iter().map(|step| step.rate).collect();
        assert_eq!(rates, [Some(100.0), Some(100.0), None, None]);
        assert_eq!(track.steps[1].response, None);
        assert!((track.end() - 4.0).abs() < 1e-9);
    }

    #[test]
    fn a_long_run_keeps_the_worst_of_each_stretch() {
        let track = Track::new(&timeline(1_400), 1_400.0);
        assert_eq!((track.steps.len(), track.stretch), (700, 2));
        assert_eq!(track.steps[1].response, Some([4.0, 20.0, 30.0]));
        assert_eq!((track.steps[1].rate, track.steps[1].failures), (Some(100.0), 0.5));
    }
}
