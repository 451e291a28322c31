//! What a plain scalar means, as ruamel reads YAML 1.2.

use jiff::civil::{Date, DateTime, Time};

use super::node::Kind;

/// Tells what an unquoted, untagged scalar is.
///
/// Shape: `yes`, `no`, `on`, `off` are texts; `0o17` is octal, `0123` is 123, `1_000` is 1000;
/// dates and times become their ISO text, without a time zone.
///
/// Source: ruamel.yaml `resolver.py`, the implicit resolvers of version 1.2.
pub(super) fn plain(text: &str) -> Kind {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Kind::Null,
        "true" | "True" | "TRUE" => return Kind::Bool(true),
        "false" | "False" | "FALSE" => return Kind::Bool(false),
        _ => {}
    }
    match text.as_bytes()[0] {
        b'0'..=b'9' | b'+' | b'-' | b'.' => {
            let number = integer(text).or_else(|| float(text));
            number.or_else(|| timestamp(text)).unwrap_or_else(|| Kind::String(text.to_owned()))
        }
        _ => Kind::String(text.to_owned()),
    }
}

/// Applies a tag of YAML's own (`!!str`, `!!int` …) to a scalar's text; nothing where the two do not fit.
pub(super) fn tagged(tag: &str, text: &str) -> Option<Kind> {
    match tag {
        "int" => integer(text),
        "float" => float(text).or_else(|| {
            let Some(Kind::Int(number)) = integer(text) else { return None };
            #[expect(clippy::cast_precision_loss, reason = "`!!float` asks for it")]
            let float = number as f64;
            Some(Kind::Float(float))
        }),
        "bool" | "null" => match (tag, plain(text)) {
            ("bool", kind @ Kind::Bool(_)) | ("null", kind @ Kind::Null) => Some(kind),
            _ => None,
        },
        _ => Some(Kind::String(text.to_owned())),
    }
}

/// Reads a whole number; one that does not fit stays text.
fn integer(text: &str) -> Option<Kind> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (digits, radix) = match unsigned.get(..2) {
        Some("0b") => (&unsigned[2..], 2),
        Some("0o") => (&unsigned[2..], 8),
        Some("0x") => (&unsigned[2..], 16),
        _ => (unsigned, 10),
    };
    let digits: String = digits.chars().filter(|character| *character != '_').collect();
    if digits.is_empty() || !digits.chars().all(|character| character.is_digit(radix)) {
        return None;
    }
    if unsigned.starts_with('_') {
        return None;
    }
    let negative = text.starts_with('-');
    let kind = match u64::from_str_radix(&digits, radix) {
        Ok(number) if negative => {
            0i64.checked_sub_unsigned(number).map_or_else(|| Kind::String(text.to_owned()), Kind::Int)
        }
        Ok(number) => i64::try_from(number).map_or(Kind::UInt(number), Kind::Int),
        Err(_) => Kind::String(text.to_owned()),
    };
    Some(kind)
}

/// Reads a date, or a date with a time; one that does not exist stays text.
///
/// Source: ruamel.yaml `constructor.py`, `timestamp_regexp`.
fn timestamp(text: &str) -> Option<Kind> {
    let whole =
        |text: &str| text.parse::<i8>().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()));
    let (day, rest) = text.split_at(text.find(['T', 't', ' ', '\t']).unwrap_or(text.len()));
    let mut parts = day.split('-');
    let (Some(year), Some(month), Some(day), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return None;
    };
    let lengths = [month, day].map(str::len);
    let sound = if rest.is_empty() {
        lengths == [2, 2]
    } else {
        lengths.iter().all(|length| (1..=2).contains(length))
    };
    let year = year.parse::<i16>().ok().filter(|_| sound && year.len() == 4)?;
    let date = Date::new(year, whole(month)?, whole(day)?).ok()?;
    if rest.is_empty() {
        return Some(Kind::String(date.to_string()));
    }
    let time = rest.strip_prefix(['T', 't']).unwrap_or_else(|| rest.trim_start());
    let (clock, zone) =
        time.split_at(time.find(|c: char| !matches!(c, '0'..='9' | ':' | '.')).unwrap_or(time.len()));
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, ""));
    let mut parts = clock.split(':');
    let (Some(hour), Some(minute), Some(second), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return None;
    };
    let lengths = (1..=2).contains(&hour.len()) && minute.len() == 2 && second.len() == 2;
    let zone = zone.trim_start_matches([' ', '\t']);
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let zoned = zone.is_empty()
        || zone == "Z"
        || zone.strip_prefix(['+', '-']).is_some_and(|zone| {
            let (hours, minutes) = zone.split_once(':').unwrap_or((zone, "00"));
            (1..=2).contains(&hours.len()) && minutes.len() == 2 && digits(hours) && digits(minutes)
        });
    if !lengths || !zoned || !digits(fraction) {
        return None;
    }
    let time = Time::new(whole(hour)?, whole(minute)?, whole(second)?, 0).ok()?;
    let micros = format!("{fraction:0<7}");
    let micros = micros[..6].parse::<i64>().ok()? + i64::from(micros.as_bytes()[6] >= b'5');
    let moment =
        DateTime::from_parts(date, time).checked_add(jiff::SignedDuration::from_micros(micros)).ok()?;
    let fraction = if moment.subsec_nanosecond() == 0 {
        String::new()
    } else {
        format!(".{:06}", moment.subsec_nanosecond() / 1000)
    };
    Some(Kind::String(format!("{}{fraction}", moment.strftime("%Y-%m-%dT%H:%M:%S"))))
}

/// Reads a number with a point or an exponent.
fn float(text: &str) -> Option<Kind> {
    let (sign, unsigned) = match text.strip_prefix(['+', '-']) {
        Some(rest) if text.starts_with('-') => (-1.0, rest),
        Some(rest) => (1.0, rest),
        None => (1.0, text),
    };
    match unsigned {
        ".inf" | ".Inf" | ".INF" => return Some(Kind::Float(sign * f64::INFINITY)),
        ".nan" | ".NaN" | ".NAN" if unsigned.len() == text.len() => return Some(Kind::Float(f64::NAN)),
        _ => {}
    }
    let digits: String = unsigned.chars().filter(|character| *character != '_').collect();
    let (mantissa, exponent) = match digits.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (digits.as_str(), None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let sound = all_digits(whole)
        && fraction.is_none_or(all_digits)
        && (fraction.is_some() || exponent.is_some())
        && (!whole.is_empty() || fraction.is_some_and(|fraction| !fraction.is_empty()))
        // Without a digit before the point an exponent has to have a sign.
        && (!whole.is_empty() || exponent.is_none_or(|exponent| exponent.starts_with(['+', '-'])))
        && exponent.is_none_or(|exponent| {
            let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
            !exponent.is_empty() && all_digits(exponent)
        });
    if !sound || unsigned.starts_with('_') {
        return None;
    }
    digits.parse::<f64>().ok().map(|number| Kind::Float(sign * number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_plain_scalars_as_ruamel_does() {
        let text = |text: &str| Kind::String(text.to_owned());
        for (written, read) in [
            ("", Kind::Null),
            ("~", Kind::Null),
            ("Null", Kind::Null),
            ("nULL", text("nULL")),
            ("yes", text("yes")),
            ("off", text("off")),
            ("TRUE", Kind::Bool(true)),
            ("tRue", text("tRue")),
            ("0o17", Kind::Int(15)),
            ("0123", Kind::Int(123)),
            ("1_000", Kind::Int(1000)),
            ("-17", Kind::Int(-17)),
            ("+9", Kind::Int(9)),
            ("0x1F", Kind::Int(31)),
            ("0b101", Kind::Int(5)),
            ("-", text("-")),
            ("+", text("+")),
            ("0x", text("0x")),
            ("_1", text("_1")),
            ("9223372036854775808", Kind::UInt(9_223_372_036_854_775_808)),
            ("-9223372036854775808", Kind::Int(i64::MIN)),
            ("99999999999999999999999", text("99999999999999999999999")),
            ("1.5", Kind::Float(1.5)),
            ("1.", Kind::Float(1.0)),
            (".5", Kind::Float(0.5)),
            (".", text(".")),
            ("1e3", Kind::Float(1000.0)),
            ("6.02E+23", Kind::Float(6.02e23)),
            ("1e", text("1e")),
            ("1.2.3", text("1.2.3")),
            ("-.inf", Kind::Float(f64::NEG_INFINITY)),
            ("2024-01-01", text("2024-01-01")),
            ("2024-1-1", text("2024-1-1")),
            ("2024-13-01", text("2024-13-01")),
            ("2020-8-6 0:00:00", text("2020-08-06T00:00:00")),
            ("2001-12-14t21:59:43.10-05:00", text("2001-12-14T21:59:43.100000")),
            ("2001-12-14 23:59:59.9999999 Z", text("2001-12-15T00:00:00")),
            ("2001-12-14 23:59", text("2001-12-14 23:59")),
            (".5e3", text(".5e3")),
            (".5e+3", Kind::Float(500.0)),
            ("12:30", text("12:30")),
            ("1é", text("1é")),
        ] {
            assert_eq!(plain(written), read, "{written}");
        }
    }
}
