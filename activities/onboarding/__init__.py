"""The steps of customer onboarding."""
