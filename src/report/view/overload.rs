//! A load above capacity, in words.

use super::{
    Note, Tone,
    checks::{Harness, more_room},
};
use crate::{
    analysis::{Analysis, Bottleneck, Check, PoolUse},
    report::format::{count, counted, rate},
};

/// What a service was offered, what was answered of it, and what was the limit: `api was offered 40 000/s, of which 16 200/s were
/// answered, and its queue grew by 23 800 requests a second; the pool is the limit, with 8 of 8
/// places in use`.
pub(super) fn fact(service: &str, growth: f64, analysis: &Analysis) -> String {
    let Some((pool, offered)) = offered(service, analysis) else { return format!("the queue of {service} grew") };
    let mut rows = analysis.rows.iter().filter(|row| row.scope.operation.is_none());
    let answered = rows.find(|row| row.scope.service.as_ref() == Some(&pool.service)).map_or(0.0, |row| row.rate);
    let limit = match analysis.scaling.bottleneck(&analysis.checks, pool) {
        Some(Bottleneck::Server) => "; the server is the limit, its main thread had no time left".to_owned(),
        Some(Bottleneck::Harness) => "; the harness is the limit, its workers had no time left".to_owned(),
        Some(Bottleneck::Pool) => format!("; the pool is the limit, with {0} of {0} places in use", count(pool.places)),
        None => String::new(),
    };
    format!(
        "{service} was offered {}, of which {} were answered, and its queue grew by {} a second{limit}",
        rate(offered),
        rate(answered),
        counted((growth * offered) as u64, "request", "requests"),
    )
}

/// The finding of a queue that grew all the time.
pub(super) fn note(check: &Check, analysis: &Analysis, harness: Harness) -> Note {
    let service = check.subject.as_deref().unwrap_or_default();
    let limit = offered(service, analysis).and_then(|(pool, _)| analysis.scaling.bottleneck(&analysis.checks, pool));
    let remedy = match limit {
        Some(Bottleneck::Server) => "or make commands cheaper, or spread the data over more servers".to_owned(),
        Some(Bottleneck::Harness) => format!("or {}", more_room(harness)),
        Some(Bottleneck::Pool) => format!(
            "or try a larger pool (--set service.{service}.pool.size), or let requests share connections (checkout = \"shared\")"
        ),
        None => "or enlarge what limits it".to_owned(),
    };
    Note::new(
        Tone::Bad,
        format!("The offered load is above capacity: {}.", fact(service, check.value, analysis)),
        format!(
            "Response times of an overload depend on how long one measures. Offer less (--rate; plimsoll capacity finds the \
             highest rate that meets the objective), {remedy}.",
        ),
    )
}

fn offered<'a>(service: &str, analysis: &'a Analysis) -> Option<(&'a PoolUse, f64)> {
    let pool = analysis.pools.iter().find(|pool| pool.service == service)?;
    Some((pool, pool.offered?))
}
