"""Licensed distribution: who may have which version of a product. Rules alone: nothing here reads a row or a byte."""
