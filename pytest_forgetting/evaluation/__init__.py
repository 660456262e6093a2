"""The whole way from references and suites to a Comparison, without pytest: sides opened, asked, graded, recorded."""
