"""Who asks notify over HTTP? The partner (partner.py) and the operators (operator.py)."""
