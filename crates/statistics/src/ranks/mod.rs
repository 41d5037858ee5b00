//! Methods on ranks, exact with ties and zeros.
//!
//! Mid-ranks are kept doubled, as integers, so that no statistic is rounded and
//! equality of two statistics is exact. Exact null distributions come from dynamic
//! programming over these integers, never from enumeration or simulation.

mod hodges_lehmann;
mod median_test;
mod midranks;
mod rank_sum;
mod rank_sum_null;
mod sign_test;
mod signed_rank;

pub use hodges_lehmann::{
    HodgesLehmann, HodgesLehmannInterval, HodgesLehmannWorkspace, hodges_lehmann_one_sample,
    hodges_lehmann_two_sample, moses_normal_interval,
};
pub use median_test::{MedianTest, median_test};
pub use rank_sum::{
    KruskalWallis, RankSum, RankSumExact, RankSumNormal, RankSumWorkspace, TwoSided, kruskal_wallis,
    rank_sum, rank_sum_exact, rank_sum_normal,
};
pub use sign_test::{SignTest, sign_test};
pub use signed_rank::{
    SignedRank, SignedRankExact, SignedRankNormal, SignedRankT, SignedRankWorkspace, Zeros, signed_rank,
    signed_rank_exact, signed_rank_normal, signed_rank_t,
};

/// P(W ≤ w) of the Mann-Whitney statistic for w = 0 ..= m n without ties.
pub(crate) fn rank_sum_null_at_most(n: [usize; 2]) -> Result<Vec<f64>, crate::NotEstimable> {
    Ok(RankSumWorkspace::default().tie_free_at_most(n)?.to_vec())
}

/// Whether a discrete statistic is moved half a step towards its mean before a normal approximation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Continuity {
    /// No correction.
    None,
    /// A correction of one half.
    Half,
}

/// Normal p-values of a statistic that lies `deviation` above its mean, with standard deviation `sd`.
///
/// Returns (two-sided, less, greater). With a correction of `c`, "less" uses `deviation + c`,
/// "greater" `deviation - c`, and the two-sided value moves the deviation by `c` towards zero.
fn normal_p(deviation: f64, sd: f64, continuity: Continuity) -> (f64, f64, f64) {
    use crate::distribution::{normal_cdf, normal_upper};
    let c = match continuity {
        Continuity::None => 0.0,
        Continuity::Half => 0.5,
    };
    let towards_zero = if deviation == 0.0 { 0.0 } else { c * deviation.signum() };
    let z = (deviation - towards_zero) / sd;
    let two_sided = (2.0 * normal_cdf(z).min(normal_upper(z))).min(1.0);
    (two_sided, normal_cdf((deviation + c) / sd), normal_upper((deviation - c) / sd))
}
