/// Why a process ended without a result.
}
