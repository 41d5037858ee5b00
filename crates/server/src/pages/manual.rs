//! The user guide that came with this program, so that whoever works with a version reads of that version.
//!
//! The guide's pages use a little of Markdown: headings, paragraphs, lists, tables, blocks of code, and code, strong words and links
//! within a line. That much is turned into HTML here; everything else is text.

use std::fmt::Write as _;

use askama::Template;

use crate::{
    context::{Context, Failure, Outcome},
    http::Reply,
    page::Page,
};

#[derive(Template)]
#[template(path = "manual.html")]
struct ManualPage {
    page: Page,
    listed: Vec<(&'static str, &'static str)>,
    html: String,
    version: &'static str,
    digest: &'static str,
}

fn title_of(text: &'static str) -> &'static str {
    text.lines().next().unwrap_or_default().trim_start_matches("# ")
}

/// The list of pages.
pub fn list(context: &Context<'_>) -> Outcome {
    let pages = context.house.manual.iter().filter(|(name, _)| *name != "README");
    render(context, pages.map(|(name, text)| (*name, title_of(text))).collect(), String::new(), "User guide")
}

/// A page.
pub fn show(context: &Context<'_>) -> Outcome {
    let name = context.request.param("page");
    let (_, text) = context.house.manual.iter().find(|(known, _)| *known == name).ok_or(Failure::NotFound)?;
    render(context, Vec::new(), html(text), title_of(text))
}

fn render(
    context: &Context<'_>,
    listed: Vec<(&'static str, &'static str)>,
    html: String,
    title: &str,
) -> Outcome {
    let view = ManualPage {
        page: Page::new(context, title),
        listed,
        html,
        version: env!("CARGO_PKG_VERSION"),
        digest: context.house.manual_digest,
    };
    Ok(Reply::page(view.render()?))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// What is within a line: code, strong words, links to other pages of the guide. Links elsewhere stay text.
fn inline(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(['`', '*', '[']) {
        out.push_str(&escaped(&rest[..at]));
        let (mark, after) = rest[at..].split_at(1);
        let taken = match mark {
            "`" => {
                after.split_once('`').map(|(code, after)| (format!("<code>{}</code>", escaped(code)), after))
            }
            "*" => {
                let (end, tag) = if after.starts_with('*') { ("**", "strong") } else { ("*", "em") };
                let inside = after.strip_prefix('*').unwrap_or(after);
                inside
                    .split_once(end)
                    .filter(|(words, _)| !words.is_empty() && !words.starts_with(' '))
                    .map(|(words, after)| (format!("<{tag}>{}</{tag}>", inline(words)), after))
            }
            _ => after.split_once("](").and_then(|(label, after)| {
                let (to, after) = after.split_once(')')?;
                let page = to.split('#').next().unwrap_or_default().strip_suffix(".md");
                let own = page.filter(|page| !page.contains(['/', ':']));
                let html = match own {
                    Some(page) => format!("<a href=\"/manual/{}\">{}</a>", escaped(page), inline(label)),
                    None => inline(label),
                };
                Some((html, after))
            }),
        };
        match taken {
            Some((html, after)) => {
                out.push_str(&html);
                rest = after;
            }
            None => {
                out.push_str(mark);
                rest = after;
            }
        }
    }
    out.push_str(&escaped(rest));
    out
}

/// The block that lines belong to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Block {
    None,
    Paragraph,
    List,
    Numbered,
    Table,
}

impl Block {
    fn ends(self) -> &'static str {
        match self {
            Block::None => "",
            Block::Paragraph => "</p>\n",
            Block::List => "</li></ul>\n",
            Block::Numbered => "</li></ol>\n",
            Block::Table => "</tbody></table></div>\n",
        }
    }
}

/// Turns a page of the guide into HTML.
pub fn html(text: &str) -> String {
    let mut out = String::new();
    let mut block = Block::None;
    let mut code = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            out.push_str(block.ends());
            block = Block::None;
            out.push_str(if code { "</code></pre>\n" } else { "<pre tabindex=\"0\"><code>" });
            code = !code;
            continue;
        }
        if code {
            let _ = writeln!(out, "{}", escaped(line));
            continue;
        }
        let words = line.trim();
        let number = words.split_once(". ").filter(|(number, _)| number.parse::<u32>().is_ok());
        let (wanted, content) = if words.is_empty() {
            (Block::None, "")
        } else if let Some(item) = words.strip_prefix("- ") {
            (Block::List, item)
        } else if let Some((_, item)) = number {
            (Block::Numbered, item)
        } else if words.starts_with('|') {
            (Block::Table, words)
        } else if matches!(block, Block::List | Block::Numbered) && line.starts_with(' ') {
            // A line that goes on with an item.
            let _ = write!(out, " {}", inline(words));
            continue;
        } else {
            (Block::Paragraph, words)
        };
        let heading = words.bytes().take_while(|byte| *byte == b'#').count();
        if (1..=4).contains(&heading) && words[heading..].starts_with(' ') {
            out.push_str(block.ends());
            block = Block::None;
            let _ = writeln!(out, "<h{heading}>{}</h{heading}>", inline(words[heading..].trim()));
            continue;
        }
        if wanted != block {
            out.push_str(block.ends());
            out.push_str(match wanted {
                Block::None => "",
                Block::Paragraph => "<p>",
                Block::List => "<ul><li>",
                Block::Numbered => "<ol><li>",
                Block::Table => "<div class=\"scroll\" tabindex=\"0\" role=\"group\"><table>",
            });
        } else {
            out.push_str(match wanted {
                Block::None | Block::Table => "",
                Block::Paragraph => " ",
                Block::List | Block::Numbered => "</li><li>",
            });
        }
        if wanted == Block::Table {
            table_line(content, block != Block::Table, &mut out);
        } else {
            out.push_str(&inline(content));
        }
        block = wanted;
    }
    out.push_str(block.ends());
    out
}

fn table_line(line: &str, first: bool, out: &mut String) {
    let cells = line.trim_matches('|').split('|').map(str::trim);
    if line.chars().all(|letter| matches!(letter, '|' | '-' | ':' | ' ')) {
        return;
    }
    let (open, tag, close) = if first {
        ("<thead><tr>", "th scope=\"col\"", "</tr></thead><tbody>")
    } else {
        ("<tr>", "td", "</tr>")
    };
    out.push_str(open);
    let end = tag.split(' ').next().unwrap_or(tag);
    for cell in cells {
        let _ = write!(out, "<{tag}>{}</{end}>", inline(cell));
    }
    out.push_str(close);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_guides_markdown_becomes_html_and_all_else_is_text() {
        let text = "# A & B\n\nFirst *line*\nof **two** `<b>`.\n\n- one\n  and more\n- [two](keep-it-running.md#mails)\n\n1. first\n2. second\n\n\
            | a | b |\n|---|---|\n| 1 | [x](https://example.org) |\n\n```\n<script>\n```\n3 * 4 * 5 [no link]\n";
        assert_eq!(
            html(text),
            "<h1>A &amp; B</h1>\n<p>First <em>line</em> of <strong>two</strong> <code>&lt;b&gt;</code>.</p>\n<ul><li>one and more</li><li>\
             <a href=\"/manual/keep-it-running\">two</a></li></ul>\n<ol><li>first</li><li>second</li></ol>\n\
             <div class=\"scroll\" tabindex=\"0\" role=\"group\"><table><thead><tr><th scope=\"col\">a</th><th scope=\"col\">b</th></tr></thead><tbody>\
             <tr><td>1</td><td>x</td></tr></tbody></table></div>\n<pre tabindex=\"0\"><code>&lt;script&gt;\n</code></pre>\n<p>3 * 4 * 5 [no link]</p>\n"
        );
    }

    #[test]
    fn every_page_of_the_guide_is_closed_html() {
        let guide = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/user-guide");
        for entry in std::fs::read_dir(guide).unwrap() {
            let html = html(&std::fs::read_to_string(entry.unwrap().path()).unwrap());
            for tag in [
                "p", "ul", "ol", "li", "table", "thead", "tbody", "tr", "td", "pre", "code", "strong", "em",
                "a", "div",
            ] {
                let opened =
                    html.matches(&format!("<{tag}>")).count() + html.matches(&format!("<{tag} ")).count();
                assert_eq!(opened, html.matches(&format!("</{tag}>")).count(), "{tag} in {html}");
            }
        }
    }
}
