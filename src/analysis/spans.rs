//! Lists of spans of time: in order, without overlaps.

use crate::measure::{Nanos, Span};

/// The time that is in at least one span of a list in any order; spans that touch become one.
pub(super) fn union(mut spans: Vec<Span>) -> Vec<Span> {
    spans.sort_unstable_by_key(|span| (span.from_ns, span.to_ns));
    let mut joined: Vec<Span> = Vec::with_capacity(spans.len());
    for span in spans {
        match joined.last_mut() {
            Some(last) if span.from_ns <= last.to_ns => last.to_ns = last.to_ns.max(span.to_ns),
            _ => joined.push(span),
        }
    }
    joined
}

/// The time that is in a span of the first list and in none of the second; both are unions.
pub(super) fn without(spans: &[Span], holes: &[Span]) -> Vec<Span> {
    let mut rest = Vec::with_capacity(spans.len());
    for &span in spans {
        let mut from_ns = span.from_ns;
        for hole in holes.iter().filter(|hole| hole.to_ns > span.from_ns && hole.from_ns < span.to_ns) {
            rest.push(Span { from_ns, to_ns: hole.from_ns.max(from_ns) });
            from_ns = hole.to_ns.max(from_ns);
        }
        rest.push(Span { from_ns, to_ns: span.to_ns });
    }
    rest.retain(|span| span.length() > 0);
    rest
}

/// Time in all spans up to an instant.
pub(super) fn total_until(spans: &[Span], end: Nanos) -> Nanos {
    spans.iter().map(|span| span.to_ns.min(end).saturating_sub(span.from_ns)).sum()
}

/// The most time that a union has in any window of a length.
pub(super) fn most_within(spans: &[Span], window: Nanos) -> Nanos {
    // A window that holds the most begins with a span. As it moves on, spans leave it in front and enter it behind.
    let (mut most, mut whole, mut next) = (0, 0, 0);
    for span in spans {
        let end = span.from_ns + window;
        while next < spans.len() && spans[next].to_ns <= end {
            whole += spans[next].length();
            next += 1;
        }
        let cut = spans.get(next).map_or(0, |last| end.saturating_sub(last.from_ns.max(span.from_ns)));
        most = most.max(whole + cut);
        if span.to_ns <= end {
            whole -= span.length();
        } else {
            next += 1;
        }
    }
    most
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spans(spans: &[(Nanos, Nanos)]) -> Vec<Span> {
        spans.iter().map(|&(from_ns, to_ns)| Span { from_ns, to_ns }).collect()
    }

    #[test]
    fn spans_that_touch_become_one() {
        assert_eq!(union(spans(&[(5, 9), (0, 2), (2, 4), (8, 12)])), spans(&[(0, 4), (5, 12)]));
    }

    #[test]
    fn holes_are_cut_out() {
        let holes = spans(&[(0, 1), (3, 4), (9, 20), (30, 40)]);
        assert_eq!(
            without(&spans(&[(2, 6), (8, 10), (12, 15), (18, 25)]), &holes),
            spans(&[(2, 3), (4, 6), (8, 9), (20, 25)])
        );
        assert_eq!(without(&spans(&[(2, 6)]), &[]), spans(&[(2, 6)]));
    }

    #[test]
    fn many_pauses_within_a_window_add_up() {
        let pauses = spans(&[(0, 2), (10, 13), (15, 18), (19, 22), (40, 44)]);
        assert_eq!(most_within(&pauses, 10), 7, "3, 3, and 1 of the last that begins in it");
        assert_eq!(most_within(&pauses, 100), 15);
        assert_eq!(most_within(&[], 10), 0);
    }

    #[test]
    fn time_counts_until_the_end() {
        assert_eq!(total_until(&spans(&[(2, 6), (8, 12), (20, 30)]), 10), 6);
    }
}
