"""The oracle must bite: small wrongs done to a copy of esflow, each killed by the law it breaks."""
