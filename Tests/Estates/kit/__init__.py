"""What every estate is made of: devices, rows, posture, plant and noise."""
