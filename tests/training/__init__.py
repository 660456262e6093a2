"""Methods of fine-tuning: what each trains, keeps and writes down; the callback."""
