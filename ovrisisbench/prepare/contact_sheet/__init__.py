"""The page that shows what a prepared data set holds."""
