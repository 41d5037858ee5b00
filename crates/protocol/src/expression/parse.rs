//! From text to the syntax tree of Common Expression Language, with places in bytes.
//!
//! The grammar is the `cel` crate's; only its syntax tree is used, never its interpreter.

use cel::common::ast::{IdedExpr, SourceInfo};

/// A parsed expression.
pub(crate) struct Syntax<'t> {
    pub(crate) root: IdedExpr,
    info: SourceInfo,
    text: &'t str,
}

/// Why a text is no expression.
#[derive(Debug)]
pub(crate) struct SyntaxError {
    /// Where, in bytes.
    pub(crate) at: (usize, usize),
    pub(crate) message: String,
    pub(crate) help: Option<String>,
}

/// The greatest length of an expression. Longer ones belong into several rules, and nesting stays bounded.
const BYTES_MAX: usize = 3000;

/// Parses an expression.
pub(crate) fn parse(text: &str) -> Result<Syntax<'_>, SyntaxError> {
    let whole = (0, text.len());
    let refuse = |at, message: String, help| Err(SyntaxError { at, message, help });
    if text.trim().is_empty() {
        return refuse(whole, "the expression is empty".into(), None);
    }
    if text.len() > BYTES_MAX {
        return refuse(
            whole,
            format!("the expression is longer than {BYTES_MAX} bytes"),
            Some("split the rule".into()),
        );
    }
    match cel::parser::Parser::new().parse_with_source_info(text) {
        Ok((root, info)) => Ok(Syntax { root, info, text }),
        Err(errors) => {
            let first = errors.errors.first();
            // Errors count in characters, unlike nodes.
            let offsets: Vec<usize> = text.char_indices().map(|(byte, _)| byte).chain([text.len()]).collect();
            let column = first.map_or(1, |error| error.pos.1.max(1)) as usize - 1;
            let start = offsets.get(column).copied().unwrap_or(text.len());
            let end = offsets.get(column + 1).copied().unwrap_or(text.len());
            let said = first.map_or("", |error| error.msg.as_str());
            let said =
                said.trim_start_matches("Syntax error: ").split(" expecting").next().unwrap_or_default();
            let said = said.replace("<EOF>", "the end").replace("mismatched input", "did not expect");
            let said = said
                .replace("extraneous input", "did not expect")
                .replace("token recognition error at:", "can't read");
            refuse((start, end.max(start)), format!("this is not an expression: {}", said.trim()), slip(text))
        }
    }
}

/// Names the usual slips.
fn slip(text: &str) -> Option<String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let has = |word: &str| words.contains(&word);
    let hint = if has("and") || has("AND") {
        "write `&&` for and"
    } else if has("or") || has("OR") {
        "write `||` for or"
    } else if has("not") || has("NOT") {
        "write `!` for not"
    } else if has("=") {
        "write `==` for equal"
    } else if has("<>") {
        "write `!=` for unequal"
    } else if text.matches('(').count() != text.matches(')').count() {
        "an opening and a closing parenthesis don't pair"
    } else if text.matches('\'').count() % 2 == 1 {
        "a quote is left open"
    } else {
        return None;
    };
    Some(hint.to_owned())
}

impl Syntax<'_> {
    /// Returns the bytes of a node's own token (an operator's sign, an identifier, a literal).
    pub(crate) fn token(&self, node: &IdedExpr) -> (usize, usize) {
        let (start, stop) = self.info.offset_for(node.id).unwrap_or((0, 0));
        let boundary =
            |byte: usize| (0..=byte.min(self.text.len())).rev().find(|at| self.text.is_char_boundary(*at));
        let start = boundary(start as usize).unwrap_or(0);
        (start, boundary(stop as usize + 1).unwrap_or(0).max(start))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_bytes_also_after_accents() {
        let text = "a == 'é' && bc == 'd'";
        let syntax = parse(text).unwrap();
        let cel::common::ast::Expr::Call(and) = &syntax.root.expr else { panic!() };
        let cel::common::ast::Expr::Call(equal) = &and.args[1].expr else { panic!() };
        let (start, end) = syntax.token(&equal.args[0]);
        assert_eq!(&text[start..end], "bc");
    }

    #[test]
    fn the_usual_slips_are_named() {
        for (text, hint) in [("a and b", "&&"), ("a = 1", "=="), ("(a", "parenthesis"), ("a == 'b", "quote")]
        {
            let error = parse(text).err().unwrap();
            assert!(error.help.as_deref().unwrap_or_default().contains(hint), "{text}: {error:?}");
        }
    }
}
