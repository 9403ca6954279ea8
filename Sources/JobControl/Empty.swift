// JobControl
