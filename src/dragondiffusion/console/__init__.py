"""What the commands of all front ends share."""
