"""The page. `arena.ui.page` builds it; what only writes HTML does without the framework, so that a report can too."""
