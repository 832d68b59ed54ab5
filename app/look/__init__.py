"""How everything looks: colours, style sheets, fields, notices."""
