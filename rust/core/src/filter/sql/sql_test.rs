use std::fmt::Write;

use super::{MAX_DEPTH, MAX_LENGTH, NoVerdict, Position, Problem, SqlFilter};

/// The verdict of a condition on a message with these properties.
fn verdict(condition: &str, properties: &[(&str, &str)]) -> Result<Option<bool>, NoVerdict> {
    let text = properties.iter().fold(String::new(), |mut text, (name, value)| {
        write!(text, "{name}\u{1}{value}\u{2}").unwrap();
        text
    });
    SqlFilter::parse(condition).unwrap_or_else(|error| panic!("{condition}: {error}")).verdict(&text)
}

fn refused(condition: &str) -> (usize, Problem) {
    let error = SqlFilter::parse(condition).expect_err(condition);
    (error.position.column, error.problem)
}

const YES: Result<Option<bool>, NoVerdict> = Ok(Some(true));
const NO: Result<Option<bool>, NoVerdict> = Ok(Some(false));
const UNKNOWN: Result<Option<bool>, NoVerdict> = Ok(None);
const NOT_A_NUMBER: Result<Option<bool>, NoVerdict> = Err(NoVerdict::NotANumber);

const A: [(&str, &str); 4] = [("a", "5"), ("b", "text"), ("c", "1.5"), ("t", "TRUE")];

#[test]
fn numbers_are_compared_as_the_literal_is_written() {
    for condition in
        ["a > 4", "a >= 5", "4 < a", "a = 5", "a <> 6", "a < 5.5", "c = 1.5", "a > c", "a > -6", "-1 < a"]
    {
        assert_eq!(verdict(condition, &A), YES, "{condition}");
    }
    for condition in ["a > 5", "a <> 5", "c > a", "1 > 2", "5 = 5.5"] {
        assert_eq!(verdict(condition, &A), NO, "{condition}");
    }
    for condition in ["b > 1", "b = 1", "c > 1", "1 < c", "b > a", "c <> 1"] {
        assert_eq!(verdict(condition, &A), NOT_A_NUMBER, "{condition}");
    }
}

#[test]
fn text_is_equal_or_different_and_nothing_else() {
    assert_eq!(verdict("b = 'text'", &A), YES);
    assert_eq!(verdict("'text' <> b", &A), NO);
    assert_eq!(verdict("b = 'it''s'", &[("b", "it's")]), YES);
    assert_eq!(refused("b > 'a'"), (5, Problem::NotOrdered));
}

#[test]
fn a_missing_property_is_null() {
    for condition in [
        "x > 1",
        "x = 1",
        "x <> 1",
        "x IN ('a')",
        "x NOT IN ('a')",
        "x BETWEEN 1 AND 2",
        "x",
        "NOT x",
        "NULL",
    ] {
        assert_eq!(verdict(condition, &A), UNKNOWN, "{condition}");
    }
    assert_eq!(verdict("x IS NULL", &A), YES);
    assert_eq!(verdict("x IS NOT NULL", &A), NO);
    assert_eq!(verdict("a IS NOT NULL", &A), YES);
    assert_eq!(verdict("-a IS NULL", &A), YES);
}

#[test]
fn null_on_the_right_of_equals_is_no_null() {
    assert_eq!(verdict("a = x", &A), NO);
    assert_eq!(verdict("x = a", &A), UNKNOWN);
    assert_eq!(verdict("x = y", &A), YES);
}

#[test]
fn and_and_or_have_three_values() {
    let parts = [("a = 5", Some(true)), ("a = 6", Some(false)), ("x = 1", None)];
    for (left, l) in parts {
        for (right, r) in parts {
            let and = if l == Some(false) || r == Some(false) { Some(false) } else { l.and(r) };
            let or = if l == Some(true) || r == Some(true) { Some(true) } else { l.and(r) };
            assert_eq!(verdict(&format!("{left} AND {right}"), &A), Ok(and), "{left} AND {right}");
            assert_eq!(verdict(&format!("{left} OR {right}"), &A), Ok(or), "{left} OR {right}");
        }
    }
}

#[test]
fn what_decides_first_hides_errors_behind_it() {
    assert_eq!(verdict("a = 6 AND b > 1", &A), NO);
    assert_eq!(verdict("a = 5 OR b > 1", &A), YES);
    assert_eq!(verdict("b > 1 AND a = 6", &A), NOT_A_NUMBER);
    assert_eq!(verdict("x = 1 AND b > 1", &A), NOT_A_NUMBER);
}

#[test]
fn between_includes_its_limits() {
    for (condition, expected) in [
        ("a BETWEEN 5 AND 5", YES),
        ("a BETWEEN 1 AND 4", NO),
        ("a NOT BETWEEN 1 AND 4", YES),
        ("a NOT BETWEEN 5 AND 9", NO),
        ("a BETWEEN 6 AND x", NO),
        ("a BETWEEN 1 AND x", UNKNOWN),
        ("a NOT BETWEEN x AND 4", YES),
        ("a NOT BETWEEN 9 AND 1", YES),
        ("a BETWEEN -1 AND -9", NO),
    ] {
        assert_eq!(verdict(condition, &A), expected, "{condition}");
    }
    assert_eq!(refused("a BETWEEN 5 AND 1"), (11, Problem::ReversedLimits));
}

#[test]
fn in_compares_text() {
    assert_eq!(verdict("a IN ('4', '5')", &A), YES);
    assert_eq!(verdict("a NOT IN ('4','5','6','7','8','9')", &A), NO);
    assert_eq!(refused("-a IN ('4')"), (1, Problem::NotProperty));
    assert_eq!(refused("a IN (5)"), (7, Problem::Unexpected { expected: "a string", found: "5".to_owned() }));
}

#[test]
fn matches_are_false_rather_than_unknown() {
    for (condition, expected) in [
        ("b CONTAINS 'ex'", YES),
        ("b NOT CONTAINS 'ex'", NO),
        ("b STARTSWITH 'te'", YES),
        ("b NOT STARTSWITH 'xt'", YES),
        ("b ENDSWITH 'xt'", YES),
        ("b NOT ENDSWITH 'xt'", NO),
        ("b CONTAINS ''", NO),
        ("b NOT CONTAINS ''", NO),
        ("x CONTAINS 'a'", NO),
        ("x NOT CONTAINS 'a'", NO),
        ("5 CONTAINS '5'", NO),
    ] {
        assert_eq!(verdict(condition, &A), expected, "{condition}");
    }
}

#[test]
fn booleans() {
    assert_eq!(verdict("t = TRUE", &A), YES);
    assert_eq!(verdict("b = FALSE", &A), YES);
    assert_eq!(verdict("TRUE = t", &A), Err(NoVerdict::BooleanBeforeText));
    assert_eq!(verdict("TRUE", &[]), YES);
    assert_eq!(verdict("(a = 5) = TRUE", &A), YES);
    assert_eq!(verdict("5 = TRUE", &A), NO);
    assert_eq!(verdict("t", &A), NO);
    assert_eq!(verdict("NOT t", &A), YES);
    assert_eq!(refused("TRUE = 5"), (8, Problem::KindsDiffer));
    assert_eq!(refused("a = NULL"), (5, Problem::NullCompared));
}

#[test]
fn not_binds_tighter_than_comparisons() {
    assert_eq!(verdict("NOT a = 5", &A), NO);
    assert_eq!(verdict("NOT (a = 6)", &A), YES);
    assert_eq!(refused("NOT a > 5"), (1, Problem::NotOrdered));
    assert_eq!(verdict("a = 6 OR a = 5 AND b = 'text'", &A), YES);
}

#[test]
fn what_follows_a_condition_is_ignored_but_for_its_first_token() {
    for condition in ["a = 5 rubbish '", "a = 5 )", "a = 5 -- comment", "a = 0005", "a = 5, #"] {
        assert!(SqlFilter::parse(condition).is_ok(), "{condition}");
    }
    assert_eq!(refused("a = 5 #"), (7, Problem::Character('#')));
    assert_eq!(refused("a = 5 'x"), (7, Problem::OpenString));
    assert!(matches!(refused("a = 5 NOT b"), (11, Problem::Unexpected { .. })));
}

#[test]
fn behind_a_null_test_only_equality_goes_on() {
    for condition in
        ["a IS NULL > 5", "a IS NULL CONTAINS 'x'", "a IS NULL NOT IN ('x')", "a IS NULL BETWEEN"]
    {
        assert_eq!(SqlFilter::parse(condition), SqlFilter::parse("a IS NULL"), "{condition}");
    }
    assert_eq!(verdict("a IS NULL = FALSE", &A), YES);
    assert_eq!(verdict("a IS NULL IS NOT NULL", &A), YES);
    assert_eq!(verdict("(a IS NULL) CONTAINS 'x'", &A), NO);
    assert!(matches!(refused("(a IS NULL > 5)"), (12, Problem::Unexpected { .. })));
}

#[test]
fn errors_say_what_and_where() {
    let error = SqlFilter::parse("a = 1 AND\n  ö").expect_err("no token");
    assert_eq!(error.position, Position { line: 2, column: 3 });
    assert_eq!(error.to_string(), "line 2, column 3: 'ö' has no meaning here");
    let texts = [
        ("", "line 1, column 1: expected a property or a constant, found the end"),
        ("a >", "line 1, column 4: expected a property or a constant, found the end"),
        ("a IS 5", "line 1, column 6: expected NULL or NOT NULL, found 5"),
        ("(a = 1", "line 1, column 7: expected an operator or ), found the end"),
        ("a = >= 2", "line 1, column 5: expected a property or a constant, found >="),
        ("a IN ('x' BETWEEN", "line 1, column 11: expected a comma or ), found BETWEEN"),
    ];
    for (condition, message) in texts {
        assert_eq!(SqlFilter::parse(condition).expect_err(condition).to_string(), message);
    }
    assert_eq!(refused("a AND 5"), (7, Problem::NotBoolean));
    assert_eq!(refused("'text'"), (1, Problem::NotBoolean));
    assert_eq!(refused("a > 0.0"), (5, Problem::NumberRange));
    assert_eq!(refused("a > 99999999999999999999"), (5, Problem::NumberRange));
}

#[test]
fn nesting_and_length_have_limits() {
    let nested = |depth: usize| format!("{}a = 1{}", "(".repeat(depth), ")".repeat(depth));
    assert_eq!(SqlFilter::parse(&nested(30_000)), SqlFilter::parse("a = 1"));
    assert_eq!(refused(&nested(100_000)).1, Problem::TooLong);
    let limit = usize::from(MAX_DEPTH);
    let inverted = |times| format!("{}a", "NOT ".repeat(times));
    assert_eq!(verdict(&inverted(limit), &[("a", "x")]), NO);
    assert_eq!(refused(&inverted(limit + 1)), (1, Problem::TooDeep));
    for start in ["-", "-+(", "a OR b AND ("] {
        let deep =
            format!("{}a{}", start.repeat(3_000), ")".repeat(if start.contains('(') { 3_000 } else { 0 }));
        assert_eq!(refused(&deep).1, Problem::TooDeep, "{start}");
    }
    for end in [" IS NULL", " = a", " <> a", " CONTAINS 'x'"] {
        assert_eq!(refused(&format!("a{}", end.repeat(5_000))).1, Problem::TooDeep, "{end}");
    }
    let long = format!("a = 1{}", " OR a = 1".repeat(7_000));
    assert!(long.len() < MAX_LENGTH && verdict(&long, &[("a", "2")]) == NO);
}

#[test]
fn printing_gives_a_text_of_the_same_meaning() {
    let printed = |text: &str| SqlFilter::parse(text).unwrap().to_string();
    assert_eq!(printed("a=1 and b<>'it''s' or not c"), "((a = 1) AND (NOT (b = 'it''s'))) OR (NOT c)");
    assert_eq!(printed("a between -1 and 5."), "a BETWEEN (-1) AND 5e0");
    assert_eq!(printed("a not in ('y','x')"), "a NOT IN ('x', 'y')");
    assert_eq!(printed("a is not null"), "NOT (a IS NULL)");
}
