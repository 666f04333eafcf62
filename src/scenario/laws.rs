//! Laws that hold for any scenario: what was run reads as what was run, and no text makes the parser panic.

use std::time::Duration;

use proptest::{prelude::prop, prop_assert, prop_assert_eq, proptest, strategy::Strategy};

use super::{BUILTIN, Client, Event, EventAction, Overrides, Protocol, ScenarioError, parse};

fn builtin() -> impl Strategy<Value = &'static str> {
    (0..BUILTIN.len()).prop_map(|index| BUILTIN[index].1)
}

proptest! {
    #[test]
    fn the_source_reads_as_the_scenario(
        text in builtin(),
        duration in prop::option::of(100_000_000_u64..86_400_000_000_000),
        warmup in prop::option::of(0_u64..3_600_000_000_000),
        seed in prop::option::of(0..=i64::MAX as u64),
        rate in prop::option::of(1.0..1_000_000.0),
        client in prop::option::of(prop::sample::select(vec![Client::Fred, Client::Wire])),
        protocol in prop::option::of(prop::sample::select(vec![Protocol::Resp2, Protocol::Resp3])),
        size in 1_u32..1_000,
        latency in 1_u64..1_000,
    ) {
        let original = parse(text, "original").unwrap();
        let first = &original.services[0].name;
        let open = original.offered_rate().unwrap_or(0.0) > 0.0;
        let overrides = Overrides {
            duration: duration.map(Duration::from_nanos),
            warmup: warmup.map(Duration::from_nanos),
            rate: rate.filter(|_| open),
            seed,
            options: client.map(Into::into).into_iter().chain(protocol.map(Into::into)).collect(),
            pin: client.is_some(),
            set: vec![
                (format!("service.{first}.pool.size"), size.to_string()),
                ("objective.latency".to_owned(), format!("{latency}ms")),
            ],
            events: vec![Event { at: Duration::from_nanos(1), action: EventAction::Failover }],
        };
        let scenario = overrides.apply(text, "original").unwrap();
        prop_assert_eq!(&parse(&scenario.source, "saved").unwrap(), &scenario);
        prop_assert_eq!(scenario.services[0].pool.size, size);
        prop_assert_eq!(scenario.objective.latency, Duration::from_millis(latency));
        prop_assert_eq!(scenario.run.pin, client.is_some() || original.run.pin);
        prop_assert_eq!(scenario.run.duration, overrides.duration.unwrap_or(original.run.duration));
        prop_assert_eq!(scenario.run.warmup, overrides.warmup.unwrap_or(original.run.warmup));
        prop_assert_eq!(scenario.seed, seed.unwrap_or(original.seed));
        let scale = overrides.rate.map_or(1.0, |rate| rate / original.offered_rate().unwrap_or(0.0));
        for (before, after) in original.services.iter().zip(&scenario.services) {
            prop_assert_eq!(after.client, client.unwrap_or(before.client));
            prop_assert_eq!(after.protocol, protocol.unwrap_or(before.protocol));
            let (before, after) = (before.offered_rate(), after.offered_rate());
            prop_assert_eq!(before.is_some(), after.is_some());
            let deviation = (after.unwrap_or(0.0) - before.unwrap_or(0.0) * scale).abs();
            prop_assert!(deviation <= 1e-9 * scenario.offered_rate().unwrap_or(0.0), "services keep their proportions");
        }
    }

    #[test]
    fn damaged_text_is_reported_and_not_panicked_over(
        text in builtin(),
        damages in prop::collection::vec((0.0..1.0_f64, 0_usize..40, "[\\[\\]{}=\"'.,#a-z0-9 \n-]{0,6}"), 1..4),
    ) {
        let mut damaged: Vec<char> = text.chars().collect();
        for (place, length, replacement) in damages {
            let start = (place * damaged.len() as f64) as usize;
            let end = (start + length).min(damaged.len());
            damaged.splice(start..end, replacement.chars());
        }
        let damaged: String = damaged.into_iter().collect();
        if let Err(errors) = parse(&damaged, "damaged") {
            let lines: Vec<_> = damaged.split('\n').collect();
            for error in errors.iter() {
                let ScenarioError::Invalid { line, column, .. } = error else { panic!("{error}") };
                prop_assert!((1..=lines.len()).contains(line), "{error}");
                prop_assert!((1..=lines[line - 1].chars().count() + 1).contains(column), "{error}");
            }
        }
    }

    #[test]
    fn any_override_is_reported_and_not_panicked_over(
        text in builtin(),
        path in "(service|run|objective|seed|name|)(\\.(api|ycsb|pool|load|operation|GET|keys|values|size|access|#1|x|))*",
        value in "[\\[\\]{}=\"'.,#a-z0-9 \n-]{0,8}",
    ) {
        let overrides = Overrides { set: vec![(path, value)], ..Overrides::default() };
        if let Ok(scenario) = overrides.apply(text, "original") {
            prop_assert_eq!(&parse(&scenario.source, "saved").unwrap(), &scenario);
        }
    }

    #[test]
    fn any_text_is_reported_and_not_panicked_over(text in ".*") {
        let _ = parse(&text, "any");
    }
}
