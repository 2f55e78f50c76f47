//! Any text gives a condition or an error, any condition a verdict on any properties; printed conditions parse to themselves.

use proptest::prelude::*;
use rocketmq_lite_core::filter::sql::SqlFilter;
use rocketmq_lite_core::record::properties;

use inputs::{damaged, noise, text};

mod inputs;

/// Tokens in an order without sense, now and then a condition.
fn rubble() -> impl Strategy<Value = String> {
    let token = prop_oneof![
        Just("a"),
        Just("b"),
        Just("$x"),
        Just("1"),
        Just("2.5"),
        Just("9999999999"),
        Just("'t'"),
        Just("''"),
        Just("TRUE"),
        Just("NULL"),
        Just("and"),
        Just("OR"),
        Just("NOT"),
        Just("IS NULL"),
        Just("IS NOT NULL"),
        Just("="),
        Just("<>"),
        Just(">="),
        Just("<"),
        Just("BETWEEN 1 AND"),
        Just("IN ('x', 'y')"),
        Just("CONTAINS 'q'"),
        Just("ENDSWITH 'q'"),
        Just("("),
        Just(")"),
        Just("-"),
        Just("+"),
        Just(","),
        Just("--c\n"),
        Just("/*c*/"),
        Just("'"),
    ];
    prop::collection::vec(token, 0..14).prop_map(|tokens| tokens.join(" "))
}

/// Conditions.
fn condition() -> impl Strategy<Value = String> {
    let number = prop_oneof![
        any::<u32>().prop_map(|n| n.to_string()),
        (1..=u64::MAX >> 1).prop_map(|n| format!("{n}L")),
        (f64::MIN_POSITIVE..f64::MAX).prop_map(|n| format!("{n:e}")),
    ];
    let name = prop_oneof![Just("a".to_owned()), Just("b".to_owned()), Just("_c$".to_owned())];
    let quoted = text().prop_map(|text| format!("'{}'", text.replace('\'', "''"))).boxed();
    let value =
        prop_oneof![3 => name.clone(), 2 => number, 1 => name.clone().prop_map(|name| format!("-{name}"))];
    let relation = prop_oneof![Just("<"), Just("<="), Just(">"), Just(">="), Just("="), Just("<>")];
    let leaf = prop_oneof![
        (value.clone(), relation, value.clone()).prop_map(|(l, r, s)| format!("{l} {r} {s}")),
        (name.clone(), quoted.clone()).prop_map(|(l, r)| format!("{l} = {r}")),
        (name.clone(), quoted.clone(), quoted.clone()).prop_map(|(l, r, s)| format!("{l} NOT IN ({r}, {s})")),
        (value.clone(), quoted).prop_map(|(l, r)| format!("{l} STARTSWITH {r}")),
        (value.clone(), value.clone()).prop_map(|(l, r)| format!("{l} NOT BETWEEN {r} AND a")),
        value.prop_map(|value| format!("{value} IS NOT NULL")),
        name,
        Just("TRUE".to_owned()),
    ];
    leaf.prop_recursive(5, 40, 3, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(l, r)| format!("({l}) AND {r}")),
            (inner.clone(), inner.clone()).prop_map(|(l, r)| format!("{l} OR ({r})")),
            (inner.clone(), inner.clone()).prop_map(|(l, r)| format!("({l}) <> ({r})")),
            inner.clone().prop_map(|inner| format!("NOT ({inner})")),
            inner.prop_map(|inner| format!("-({inner}) IS NULL")),
        ]
    })
}

fn property_text() -> impl Strategy<Value = String> {
    let value = prop_oneof![
        text(),
        any::<i32>().prop_map(|n| n.to_string()),
        any::<f64>().prop_map(|n| n.to_string())
    ];
    prop::collection::vec((prop_oneof![Just("a"), Just("b"), Just("_c$"), Just("z")], value), 0..5).prop_map(
        |pairs| {
            let mut text = properties::Builder::new();
            for (name, value) in pairs {
                text.push(name, &value);
            }
            text.finish()
        },
    )
}

fn check(text: &str, properties: &str) -> Result<(), TestCaseError> {
    let Ok(filter) = SqlFilter::parse(text) else { return Ok(()) };
    let printed = filter.to_string();
    let again = SqlFilter::parse(&printed);
    prop_assert_eq!(again.as_ref(), Ok(&filter), "{} printed {}", text, printed);
    prop_assert_eq!(again.map(|filter| filter.verdict(properties)), Ok(filter.verdict(properties)));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes(bytes in noise(), properties in text()) {
        check(&String::from_utf8_lossy(&bytes), &properties)?;
    }

    #[test]
    fn any_tokens(text in rubble(), properties in property_text()) {
        check(&text, &properties)?;
    }

    #[test]
    fn damaged_conditions(bytes in condition().prop_flat_map(|text| damaged(text.into_bytes())), properties in property_text()) {
        check(&String::from_utf8_lossy(&bytes), &properties)?;
    }

    #[test]
    fn conditions_parse_print_and_judge(text in condition(), properties in property_text()) {
        prop_assert!(SqlFilter::parse(&text).is_ok(), "{} {:?}", text, SqlFilter::parse(&text));
        check(&text, &properties)?;
    }
}
