"""Files of lines, each a classification: read, admitted, submitted, their results."""
