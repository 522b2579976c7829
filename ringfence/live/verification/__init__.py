"""After a deployment: closes, one by one, the points that only a live account can show, and keeps the evidence."""
