//! Text as HTML.

/// Text with nothing in it that HTML would read as its own, within elements and attributes.
pub fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other if other.is_control() => safe.push(' '),
            other => safe.push(other),
        }
    }
    safe
}

/// A colour `#rrggbb` that may stand in a style; grey where it is none.
pub fn color(text: Option<&str>) -> &str {
    let is_color = |text: &&str| {
        text.len() == 7 && text.starts_with('#') && text[1..].chars().all(|digit| digit.is_ascii_hexdigit())
    };
    text.filter(is_color).unwrap_or("#8a949e")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_text_is_markup() {
        assert_eq!(
            escape("<img src='x' onerror=\"a&b\">\n"),
            "&lt;img src=&#39;x&#39; onerror=&quot;a&amp;b&quot;&gt; "
        );
        assert_eq!(color(Some("#e69f00")), "#e69f00");
        assert_eq!(color(Some("red;x:y")), color(None));
        assert_eq!(color(Some("#é€ab")), color(None));
    }
}
