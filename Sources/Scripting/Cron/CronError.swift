// Why a cron expression is none.

/// The mistake in an expression, naming the field.
struct CronError: Error, Equatable {
    let message: String
}
