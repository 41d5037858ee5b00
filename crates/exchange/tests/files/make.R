# Makes the SAS transport files beside this script with haven, an independent writer.
# Run it in this folder: Rscript make.R
library(haven)
made <- data.frame(
  USUBJID = c("01-001", "01-002", "02-001", "02-002"),
  AGE = c(40, 71.5, NA, -3),
  TINY = c(0.1, 1/3, 1e-30, 123456789.125),
  START = as.Date(c("2013-02-12", "1959-12-31", NA, "2024-02-29")),
  NOTE = c("a, \"b\"", "", "x", "last")
)
attr(made$AGE, "label") <- "Age at entry"
write_xpt(made, "made-5.xpt", version = 5, name = "MADE")
long <- made
names(long)[2] <- "AGE_AT_ENTRY_IN_WHOLE_YEARS"
attr(long[[2]], "label") <- paste("Age at entry, in years that were completed by then, as the", "participant said it was")
write_xpt(long, "made-8.xpt", version = 8, name = "MADE_OF_LONG_NAMES")
cat(R.version.string, "haven", as.character(packageVersion("haven")), "\n")
