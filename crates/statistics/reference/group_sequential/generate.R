# Boundaries of many shapes, one- and two-sided, against rpact.
source("../r/json.R")
suppressWarnings(suppressMessages(library(rpact)))
of <- function(id, type, info, alpha, sided, beta = 0.2, delta = NULL, gamma = NULL) {
  args <- list(kMax = length(info), alpha = alpha, beta = beta, sided = sided, informationRates = info, typeOfDesign = type, tolerance = 1e-10)
  if (!is.null(delta)) args$deltaWT <- delta
  if (!is.null(gamma)) args$gammaA <- gamma
  d <- do.call(getDesignGroupSequential, args)
  ch <- getDesignCharacteristics(d)
  input <- list(type = one(type), info = info, alpha = one(alpha), sided = one(sided), beta = one(beta))
  if (!is.null(delta)) input$deltaWT <- one(delta)
  if (!is.null(gamma)) input$gammaA <- one(gamma)
  case(id, input, list(critical_values = d$criticalValues, cumulative_alpha_spent_upper = d$alphaSpent / sided,
    stage_levels_one_sided = pnorm(d$criticalValues, lower.tail = FALSE), inflation_factor = one(ch$inflationFactor),
    drift_at_power = one(sqrt(ch$shift)), asn_ratio_H1_vs_fixed = one(ch$averageSampleNumber1), asn_ratio_H0_vs_fixed = one(ch$averageSampleNumber0)))
}
cases <- list(
  of("OF4", "OF", 1:4 / 4, 0.025, 1), of("OF2_two", "OF", c(0.4, 1), 0.05, 2, 0.1), of("P3", "P", c(0.3, 0.6, 1), 0.025, 1, 0.1),
  of("P2_two", "P", c(0.5, 1), 0.01, 2), of("WT10", "WT", 1:4 / 4, 0.05, 2, delta = 0.1), of("WT40", "WT", c(0.25, 0.7, 1), 0.025, 1, delta = 0.4),
  of("asOF4", "asOF", c(0.2, 0.5, 0.8, 1), 0.025, 1, 0.1), of("asOF3_two", "asOF", 1:3 / 3, 0.05, 2), of("asP4", "asP", 1:4 / 4, 0.025, 1),
  of("asP2_two", "asP", c(0.6, 1), 0.05, 2, 0.1), of("asKD1", "asKD", 1:3 / 3, 0.025, 1, gamma = 1), of("asKD3", "asKD", c(0.5, 0.75, 1), 0.05, 2, gamma = 3),
  of("asHSD2", "asHSD", 1:3 / 3, 0.025, 1, gamma = 2), of("asHSDm2", "asHSD", c(0.35, 0.65, 1), 0.05, 2, gamma = -2), of("OF6", "OF", 1:6 / 6, 0.025, 1))
write_cases("group_sequential", "rpact::getDesignGroupSequential(); getDesignCharacteristics()", cases, "rpact", rel = 2e-6, abs = 2e-8)
