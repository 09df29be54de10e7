"""The `chlo` dialect: functions that StableHLO composes of others, as JAX writes them."""
