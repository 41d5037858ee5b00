//! Why a method has no answer for its data.
//!
//! A method returns either numbers or one of these reasons, never a NaN and never
//! an infinity that stands for "undefined". (An odds ratio whose estimate really is
//! infinite is a number here, and is returned as such.) Invalid arguments, such as a
//! confidence level outside (0, 1), have their own reason, so that callers need a
//! single error type.

/// The reason why a method gives no estimate for these data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotEstimable {
    /// There are no observations at all.
    #[error("no observations")]
    NoObservations,
    /// There are observations, but fewer than the method needs.
    #[error("{} where the method needs {needed}", counted(.found))]
    TooFewObservations {
        /// The smallest number the method accepts.
        needed: usize,
        /// The number given.
        found: usize,
    },
    /// One arm has no observations.
    #[error("one arm has no observations")]
    ArmEmpty,
    /// All observations are equal up to rounding, so that their spread is zero.
    #[error("zero variance")]
    ZeroVariance,
    /// All observations are tied, so that ranks carry no information.
    #[error("all observations are tied")]
    AllTied,
    /// All differences are zero.
    #[error("all differences are zero")]
    AllDifferencesZero,
    /// An observation is NaN or infinite; missing values are dropped before a method is called.
    #[error("an observation is not finite")]
    NotFinite,
    /// Two series that belong together differ in length.
    #[error("series of {left} and {right} observations cannot be paired")]
    UnequalLengths {
        /// Length of the first series.
        left: usize,
        /// Length of the second series.
        right: usize,
    },
    /// A logarithm is needed and an observation is zero or negative.
    #[error("an observation is not positive")]
    NotPositive,
    /// A denominator, such as a mean or a margin of a table, is zero.
    #[error("the denominator is zero")]
    ZeroDenominator,
    /// A margin of a table is zero, so that the table carries no information.
    #[error("a margin of the table is zero")]
    EmptyMargin,
    /// There are no discordant pairs.
    #[error("no discordant pairs")]
    NoDiscordantPairs,
    /// There are no events.
    #[error("no events")]
    NoEvents,
    /// The design matrix has linearly dependent columns, or more columns than rows allow.
    #[error("the design matrix is singular")]
    SingularDesign,
    /// The responses are separated by the covariates, so that the likelihood has no maximum.
    #[error("the likelihood has no maximum: the covariates separate the responses")]
    Separation,
    /// An iterative fit did not converge.
    #[error("no convergence in {iterations} iterations")]
    NoConvergence {
        /// The number of iterations made.
        iterations: u32,
    },
    /// A participant has no observation.
    #[error("participant number {} has no observation", .participant + 1)]
    NothingObserved {
        /// The participant's place, from 0.
        participant: usize,
    },
    /// A participant has two observations at one visit.
    #[error("participant number {} has two observations at visit number {}", .participant + 1, .visit + 1)]
    TwiceAtVisit {
        /// The participant's place, from 0.
        participant: usize,
        /// The visit's place, from 0.
        visit: usize,
    },
    /// A visit has too few observations for what is estimated there.
    #[error("visit number {} has {}, too few for its mean and variance", .visit + 1, counted(.found))]
    TooFewAtVisit {
        /// The visit's place, from 0.
        visit: usize,
        /// The number of its observations.
        found: usize,
    },
    /// An unstructured covariance needs as many participants as visits, beyond the coefficients of a visit.
    #[error(
        "{participants} participants are too few for an unstructured covariance of {visits} visits \
         with {coefficients} coefficients at each"
    )]
    MoreVisitsThanParticipants {
        /// The number of visits.
        visits: usize,
        /// The number of participants.
        participants: usize,
        /// The number of coefficients at each visit.
        coefficients: usize,
    },
    /// The likelihood grows towards a singular covariance, one visit being explained by the others.
    #[error("the covariance of the visits tends to a singular matrix")]
    SingularCovariance,
    /// The data do not determine every parameter, such as the covariance of two visits that nobody has both of.
    #[error("the data do not determine every covariance parameter")]
    NotIdentified,
    /// The survival curve does not fall to the level that was asked for.
    #[error("the survival curve does not reach this level")]
    NotReached,
    /// Follow-up ends before the time that was asked for.
    #[error("follow-up ends before this time")]
    BeyondFollowUp,
    /// The exact distribution is too large to be enumerated.
    #[error("the exact distribution is too large to be enumerated")]
    TooLargeForExact,
    /// No design fulfils the requirements within the limits given.
    #[error("no design meets the requirements")]
    NoDesign,
    /// A conclusion is the same at both ends of the range that was searched.
    #[error("the conclusion does not change within the range")]
    NoTippingPoint,
    /// An argument lies outside the range in which the method is defined.
    #[error("{name} is out of range")]
    OutOfRange {
        /// The argument's name.
        name: &'static str,
    },
}

/// Writes `1 observation`, `2 observations`.
fn counted(found: &usize) -> String {
    format!("{found} {}", if *found == 1 { "observation" } else { "observations" })
}

#[test]
fn one_observation_is_not_several() {
    let said = |found| NotEstimable::TooFewObservations { needed: 2, found }.to_string();
    assert_eq!(said(1), "1 observation where the method needs 2");
    assert_eq!(said(0), "0 observations where the method needs 2");
}

/// Refuses series that hold a NaN or an infinity.
pub(crate) fn all_finite(x: &[f64]) -> Result<(), NotEstimable> {
    if x.iter().all(|v| v.is_finite()) { Ok(()) } else { Err(NotEstimable::NotFinite) }
}
