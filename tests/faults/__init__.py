"""What fails beneath a run: killed processes, full disks, damaged stores, overwritten models, a lack of memory."""
