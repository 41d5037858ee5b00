//! How numbers, intervals, tests and marks are put into words.
//!
//! Results are stated plainly: an estimate, its interval, a p-value and what that
//! is the probability of. No result is called anything else on the strength of a p-value.

use analysis::{AnalysisResult, Number};
use protocol::model::{Method, SourceMark};
use terms::Decimal;

use crate::{context::Context, document::Inline};

/// Writes a minus sign where a number is negative; hyphens within words stay.
pub(crate) fn minus(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    let mut before = ' ';
    let mut rest = text.chars().peekable();
    while let Some(char) = rest.next() {
        let sign = char == '-'
            && !before.is_alphanumeric()
            && rest.peek().is_some_and(|next| next.is_ascii_digit() || *next == '∞');
        out.push(if sign { '\u{2212}' } else { char });
        before = char;
    }
    out
}

/// Names a mark as it stands beside a stated number.
pub fn mark(mark: SourceMark) -> &'static str {
    match mark {
        SourceMark::Published => "published",
        SourceMark::Remembered => "from memory of the literature",
        SourceMark::Derived => "derived",
        SourceMark::Assumed => "assumed",
    }
}

/// Names an interval of a confidence: `95 % CI`, unbroken.
pub(crate) fn interval(confidence: Decimal) -> String {
    format!("{}\u{a0}%\u{a0}CI", (confidence * Decimal::ONE_HUNDRED).normalize())
}

/// Writes a unit (UCUM) as people read it.
pub(crate) fn unit(unit: &str) -> &str {
    match unit {
        "a" => "years",
        "mo" => "months",
        "wk" => "weeks",
        "d" => "days",
        "10*9/L" => "10⁹/L",
        "10*12/L" => "10¹²/L",
        "umol/L" => "µmol/L",
        "m2" => "m²",
        other => other,
    }
}

/// Returns a method's confidence, if it gives an interval.
pub(crate) fn confidence(method: &Method) -> Option<Decimal> {
    method.confidence()
}

/// States a test's result in a sentence; none where the analysis makes no comparison, or it can't be estimated.
pub(crate) fn sentence(context: &Context<'_>, result: &AnalysisResult) -> Option<Vec<Inline>> {
    let plan = context.planned(result)?;
    let unit = match context.unit(&plan.subject) {
        "" => String::new(),
        unit => format!(" {unit}"),
    };
    let ci = interval(confidence(&plan.method)?);
    let mut line = Line { context, result, runs: Vec::new() };
    result.p_value()?.value?;
    match plan.method {
        Method::PairedT { .. } => {
            line.say("Mean change ").number("mean")?.say(&unit).ci(&ci)?.p()?.say(", in ");
            line.number("n")?.say(" participants.");
        }
        Method::SignedRank { .. } => {
            line.say("Pseudomedian of the change ").number("pseudomedian")?.say(&unit).ci(&ci)?.p()?;
            line.say(", in ").number("n")?.say(" participants.");
        }
        Method::TwoSampleT { .. } => {
            line.by_group("Mean", "mean")?.say("; difference ").number("difference")?.say(&unit).ci(&ci)?;
            line.p()?.say(".");
        }
        Method::RankSum { .. } => {
            line.by_group("Median", "median")?.say("; Hodges-Lehmann shift ").number("shift")?.say(&unit);
            line.ci(&ci)?.p()?.say(".");
        }
        Method::Mmrm(_) | Method::MultipleImputation(_) if result.groups.is_empty() => {
            line.say("Least-squares mean ").number("ls_mean")?.say(&unit).say(&format!(" ({ci} "));
            line.number("ls_mean_lower")?.say(" to ").number("ls_mean_upper")?.say(")").p()?.say(", in ");
            line.number("n")?.say(" participants.");
        }
        Method::Ancova(_) | Method::Mmrm(_) | Method::MultipleImputation(_) => {
            line.by_group("Least-squares mean", "ls_mean")?.say("; difference ").number("difference")?;
            line.say(&unit).ci(&ci)?.p()?.say(".");
        }
        Method::PredictiveImputation(_) if result.groups.len() == 2 => {
            line.by_group("Percent", "percent")?.say("; difference ").number("difference")?;
            line.say(" points").ci(&ci)?.p()?.say(".");
        }
        Method::Fisher { .. } => {
            line.by_group("Participants affected", "events")?.say("; odds ratio ").number("odds_ratio")?;
            line.ci(&ci)?.p()?.say(".");
        }
        Method::LogRank(_) | Method::Cox(_) => {
            line.by_group("Participants with an event", "events")?;
            line.say("; hazard ratio ").number("hazard_ratio")?.ci(&ci)?.p()?.say(".");
        }
        _ => return None,
    }
    Some(line.runs)
}

/// A sentence under construction.
struct Line<'a> {
    context: &'a Context<'a>,
    result: &'a AnalysisResult,
    runs: Vec<Inline>,
}

impl Line<'_> {
    fn say(&mut self, text: &str) -> &mut Self {
        self.runs.push(Inline::Text(text.to_owned()));
        self
    }

    fn number(&mut self, key: &str) -> Option<&mut Self> {
        let found = self.result.number(key, None, None);
        self.runs.push(number(found.or_else(|| crate::tables::only_pair(self.result, key))?));
        Some(self)
    }

    fn ci(&mut self, name: &str) -> Option<&mut Self> {
        self.say(&format!(" ({name} ")).number("lower")?.say(" to ").number("upper")?.say(")");
        Some(self)
    }

    fn p(&mut self) -> Option<&mut Self> {
        let p = self.result.p_value()?;
        self.say(if p.text().starts_with(['<', '>']) { ", p " } else { ", p = " });
        self.number("p")
    }

    /// `Median: imatinib 0.10, placebo −0.16`.
    fn by_group(&mut self, name: &str, key: &str) -> Option<&mut Self> {
        self.say(name);
        for (place, group) in self.result.groups.iter().enumerate() {
            let label = self.context.group_label(self.result, group);
            self.say(&format!("{}{label} ", if place == 0 { ": " } else { ", " }));
            self.runs.push(number(self.result.number(key, Some(&group.id), None)?));
        }
        Some(self)
    }
}

/// Makes a number of the results a number of the document.
pub(crate) fn number(number: &Number) -> Inline {
    Inline::Number {
        id: number.id.clone(),
        text: minus(&number.text()),
        why_not: number.not_estimable.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_negative_number_has_a_minus_sign_and_a_word_keeps_its_hyphen() {
        for (text, printed) in [
            ("-0.16", "−0.16"),
            ("<0.001", "<0.001"),
            ("-∞", "−∞"),
            ("double-blind, -6.6 (-22.4 %)", "double-blind, −6.6 (−22.4 %)"),
            ("2012-167", "2012-167"),
        ] {
            assert_eq!(minus(text), printed);
        }
    }

    #[test]
    fn a_confidence_is_named_in_percent_without_trailing_zeros() {
        assert_eq!(interval("0.95".parse().unwrap()), "95\u{a0}%\u{a0}CI");
        assert_eq!(interval("0.950".parse().unwrap()), "95\u{a0}%\u{a0}CI");
        assert_eq!(interval("0.975".parse().unwrap()), "97.5\u{a0}%\u{a0}CI");
    }
}
