//! Rows of a CSV text, for an engine that reads no files.

/// Cuts a text into rows of fields; an empty field without quotes is absent.
///
/// Pure. Fields are parted by commas, quotes are doubled, and a quoted field may hold line ends.
///
/// # Errors
///
/// Words, if a quoted field does not end.
pub fn rows(text: &str) -> Result<Vec<Vec<Option<String>>>, String> {
    let (mut rows, mut row, mut field) = (Vec::new(), Vec::new(), String::new());
    let (mut inside, mut quoted) = (false, false);
    let mut characters = text.chars().peekable();
    let take = |field: &mut String, quoted: &mut bool| {
        let text = std::mem::take(field);
        (std::mem::take(quoted) || !text.is_empty()).then_some(text)
    };
    while let Some(next) = characters.next() {
        match next {
            '"' if inside && characters.peek() == Some(&'"') => {
                field.push('"');
                characters.next();
            }
            '"' => {
                inside = !inside;
                quoted = true;
            }
            ',' if !inside => row.push(take(&mut field, &mut quoted)),
            '\r' if !inside && characters.peek() == Some(&'\n') => {}
            '\n' if !inside => {
                row.push(take(&mut field, &mut quoted));
                rows.push(std::mem::take(&mut row));
            }
            _ => field.push(next),
        }
    }
    if inside {
        return Err("a quoted field does not end".to_owned());
    }
    if !row.is_empty() || !field.is_empty() || quoted {
        row.push(take(&mut field, &mut quoted));
        rows.push(row);
    }
    rows.retain(|row| row.iter().any(Option::is_some));
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_rows_and_keeps_empty_texts_apart_from_absent_ones() {
        let found = rows("a,b\r\n1,\n\"\",\"x\ny\"\"\"\n\n").unwrap();
        let text = |value: &str| Some(value.to_owned());
        assert_eq!(
            found,
            [vec![text("a"), text("b")], vec![text("1"), None], vec![text(""), text("x\ny\"")]]
        );
        assert!(rows("\"a").is_err());
    }
}
