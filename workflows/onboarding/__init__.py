"""Customer onboarding: from a signup to an active customer, or to nothing left behind."""
