package org.javatuples;

import java.util.Arrays;
import java.util.Iterator;
import java.util.List;

/** The base of tuples: what prompts of MultiPL-E use of the library of this name, and no more. */
public abstract class Tuple implements Iterable<Object>, Comparable<Tuple> {
    private final Object[] values;

    protected Tuple(Object... values) {
        this.values = values;
    }

    public abstract int getSize();

    public final Object getValue(int place) {
        return values[place];
    }

    public final boolean contains(Object value) {
        return toList().contains(value);
    }

    public final List<Object> toList() {
        return Arrays.asList(values);
    }

    public final Object[] toArray() {
        return values.clone();
    }

    @Override
    public final Iterator<Object> iterator() {
        return toList().iterator();
    }

    @Override
    public final String toString() {
        return toList().toString();
    }

    @Override
    public final int hashCode() {
        return 31 + toList().hashCode();
    }

    @Override
    public final boolean equals(Object other) {
        return other != null && getClass() == other.getClass() && toList().equals(((Tuple) other).toList());
    }

    @Override
    @SuppressWarnings("unchecked")
    public int compareTo(Tuple other) {
        for (int place = 0; place < Math.min(values.length, other.values.length); place++) {
            int order = ((Comparable<Object>) values[place]).compareTo(other.values[place]);
            if (order != 0) {
                return order;
            }
        }
        return Integer.compare(values.length, other.values.length);
    }
}
